/** What may stand in a topic as it is. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const HASHED = "sha256:";
const HASH_DIGITS = 32;

/**
 * The topic that brings the notices of a customer: `notifications/cus_1`. An id of other characters than a topic may have stands in
 * it by the beginning of its SHA-256: `notifications/sha256:2c26b46b68ffc68ff99b453c1d304134`.
 */
export function noticesTopic(customerId: string): string {
  if (WORD.test(customerId)) return `notifications/${customerId}`;
  const hash = new Bun.CryptoHasher("sha256").update(customerId).digest("hex");
  return `notifications/${HASHED}${hash.slice(0, HASH_DIGITS)}`;
}
