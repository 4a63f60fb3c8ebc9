/** The name of one actor: its type and its key. The text form is `type/key`, as in `order/ord_42`. */
export interface Address {
  readonly type: string;
  readonly key: string;
}

/** How many partitions a store has. Fixed when its tables are created: an address must hash to the same slot for ever. */
export const PARTITION_COUNT = 64;

/**
 * The `type/key` text of an address. A key may hold further slashes; a type never does.
 *
 * @example
 * ```ts
 * formatAddress({ type: "order", key: "ord_42" }); // "order/ord_42"
 * ```
 */
export function formatAddress(address: Address): string {
  return `${address.type}/${address.key}`;
}

/**
 * Reads `type/key` back.
 * @throws {TypeError} when there is no slash, or nothing on one side of the first one.
 *
 * @example
 * ```ts
 * parseAddress("order/ord_42"); // { type: "order", key: "ord_42" }
 * ```
 */
export function parseAddress(text: string): Address {
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1) {
    throw new TypeError(`Cannot parse the address "${text}": expected "type/key", as in "order/ord_42"`);
  }
  return { type: text.slice(0, slash), key: text.slice(slash + 1) };
}

/**
 * The partition an address belongs to: FNV-1a over the UTF-16 code units of `type/key`, modulo {@link PARTITION_COUNT}.
 * Stable across processes, platforms and versions, because the stored `partition` columns depend on it.
 *
 * @example
 * ```ts
 * partitionOf("order", "ord_42"); // 36
 * ```
 */
export function partitionOf(type: string, key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < type.length; i++) hash = Math.imul(hash ^ type.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 47, 0x01000193);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  // FNV's low bits are weak for short keys; folding the high half in spreads them over the partitions.
  return ((hash ^ (hash >>> 16)) >>> 0) % PARTITION_COUNT;
}
