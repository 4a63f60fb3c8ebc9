/** The name of one actor: its type and its key. The text form is `type/key`, as in `order/ord_42`. */
export interface Address {
  readonly type: string;
  readonly key: string;
}

/**
 * How many partitions a store has unless it was made with others. Fixed when a store is made: an address must hash to the same
 * slot for ever.
 */
export const PARTITION_COUNT = 64;

/** The most partitions that a store can be made with. {@link PARTITION_COUNT} are the fewest. */
export const MAX_PARTITIONS = 1_024;

/**
 * Gives the number back.
 * @throws {RangeError} a store cannot have so many partitions.
 *
 * @example
 * ```ts
 * checkedPartitions(256); // 256
 * ```
 */
export function checkedPartitions(partitions: number): number {
  if (Number.isInteger(partitions) && partitions >= PARTITION_COUNT && partitions <= MAX_PARTITIONS) return partitions;
  throw new RangeError(
    `Cannot make a store with ${partitions} partitions: expected a whole number from ${PARTITION_COUNT} to ${MAX_PARTITIONS}`,
  );
}

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
 * The partition an address belongs to: FNV-1a over the UTF-16 code units of `type/key`, modulo the number of partitions.
 * Stable across processes, platforms and versions, because the stored `partition` columns depend on it.
 *
 * @param partitions how many the store has ({@link Store.partitions}). Default: {@link PARTITION_COUNT}.
 *
 * @example
 * ```ts
 * partitionOf("order", "ord_42"); // 36
 * ```
 */
export function partitionOf(type: string, key: string, partitions: number = PARTITION_COUNT): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < type.length; i++) hash = Math.imul(hash ^ type.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 47, 0x01000193);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  // FNV's low bits are weak for short keys; folding the high half in spreads them over the partitions.
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions;
}
