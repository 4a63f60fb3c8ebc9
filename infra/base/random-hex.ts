/** Ids of W3C Trace Context: 32 digits for a trace, 16 for a span. All zeros stand for none. */
export const ZERO_TRACE = "0".repeat(32);
export const ZERO_SPAN = "0".repeat(16);

const POOL_BYTES = 4_096;
let pool = "";
let used = 0;

/** Digits that nobody can foretell, of a pool: asking for randomness costs more than what comes of it. */
export function randomHex(digits: 16 | 32): string {
  if (used + digits > pool.length) {
    pool = toHex(crypto.getRandomValues(new Uint8Array(POOL_BYTES)));
    used = 0;
  }
  const text = pool.slice(used, (used += digits));
  // All zeros stand for no id. Nobody will ever see it.
  return text === ZERO_TRACE || text === ZERO_SPAN ? randomHex(digits) : text;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** By the host, where it can: that is a hundred times as fast. */
function toHex(bytes: Uint8Array & { readonly toHex?: () => string }): string {
  if (bytes.toHex !== undefined) return bytes.toHex();
  const digits = new Array<string | undefined>(bytes.length);
  // By index: stepping through bytes makes an object for each.
  for (let i = 0; i < bytes.length; i++) digits[i] = DIGITS[bytes[i] as number];
  return digits.join("");
}
