import { Problem } from "./problem.ts";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/**
 * The `Idempotency-Key` of a request, or `undefined` without one.
 * @throws {Problem} 400 unless it is 1 to 255 visible ASCII characters.
 */
export function idempotencyKey(request: Request): string | undefined {
  const key = request.headers.get("idempotency-key");
  if (key === null) return undefined;
  if (!VISIBLE_ASCII.test(key)) {
    throw new Problem(400, "idempotency.key_malformed", "Idempotency-Key must be 1 to 255 visible ASCII characters", {
      issues: [
        {
          path: "header/idempotency-key",
          message: "is not usable",
          expected: "1 to 255 visible ASCII characters",
          received: `${key.length} characters`,
        },
      ],
    });
  }
  return key;
}

/** Keys up to this length stand in the message id as they are; longer ones by their hash, since ids are bounded too. */
const PLAIN_KEY_LENGTH = 200;

/** The message id under which an actor knows a write that carries a key: a repeat gets the stored reply. */
export function messageIdOf(key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  if (key.length <= PLAIN_KEY_LENGTH) return `http/${key}`;
  return `http#${new Bun.CryptoHasher("sha256").update(key).digest("hex")}`;
}

/**
 * The id of the thing that a write with a key creates: the same for every repeat, so that twins meet in one actor.
 * SHA-256 over scope and key, in the layout of a UUIDv8 (RFC 9562, 5.8).
 * @param scope what keeps equal keys apart: the route, and whose key it is.
 * @example `ord_7d1f9a3e-6c52-8b41-9e0d-3f2a1c4b5d6e`
 */
export function derivedId(prefix: string, scope: string, key: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(`${scope}\n${key}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return `${prefix}_${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
