const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const pool = new Uint8Array(8192);
let used = pool.length;
let lastMs = 0;
let counter = 0;

/**
 * A UUIDv7 (RFC 9562): 48 bits of time, a 12-bit counter that keeps the ids of one millisecond in order, 62 random
 * bits. Randomness is drawn in blocks: ids are made on the hot path.
 */
export function uuidv7(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter > 0xfff) {
    // More than 4,096 ids in one millisecond: borrow from the next one, so that order holds.
    lastMs++;
    counter = 0;
  }
  if (used + 8 > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const high = Math.floor(lastMs / 0x10000)
    .toString(16)
    .padStart(8, "0");
  const low = (lastMs % 0x10000).toString(16).padStart(4, "0");
  const sequence = (0x7000 | counter).toString(16);
  const r = (i: number): string => HEX[pool[used + i] as number] as string;
  const variant = HEX[((pool[used] as number) & 0x3f) | 0x80] as string;
  const id = `${high}-${low}-${sequence}-${variant}${r(1)}-${r(2)}${r(3)}${r(4)}${r(5)}${r(6)}${r(7)}`;
  used += 8;
  return id;
}

/** A prefixed UUIDv7, as in `ord_0199…`. */
export function newId(prefix: string): string {
  return `${prefix}_${uuidv7()}`;
}
