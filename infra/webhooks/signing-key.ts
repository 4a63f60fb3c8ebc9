import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

/**
 * A key that signs webhooks, as Standard Webhooks writes it: `whsec_…` is a shared secret (scheme `v1`, HMAC-SHA256),
 * `whsk_…` a private Ed25519 key (scheme `v1a`), whose public half is `whpk_…`.
 */
export type SigningKey =
  | { readonly scheme: "v1"; readonly secret: Uint8Array }
  | { readonly scheme: "v1a"; readonly key: KeyObject };

const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
const SEED_BYTES = 32;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 and SPKI (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads `whsec_…` or `whsk_…`.
 * @throws {RangeError} it is neither, or its length is not that of such a key. The message does not hold the key.
 */
export function parseSigningKey(text: string): SigningKey {
  if (text.startsWith("whsec_")) {
    const secret = bytesOf(text.slice("whsec_".length));
    if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES)
      throw new RangeError(
        `Cannot use a webhook secret of ${secret.length} bytes: expected ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES}`,
      );
    return { scheme: "v1", secret };
  }
  if (text.startsWith("whsk_")) {
    const bytes = bytesOf(text.slice("whsk_".length));
    // 64 bytes are the seed and, behind it, the public key that follows from it.
    if (bytes.length !== SEED_BYTES && bytes.length !== 2 * SEED_BYTES)
      throw new RangeError(
        `Cannot use an Ed25519 key of ${bytes.length} bytes: expected ${SEED_BYTES} or ${2 * SEED_BYTES}`,
      );
    const der = Buffer.concat([PKCS8_HEAD, bytes.subarray(0, SEED_BYTES)]);
    return { scheme: "v1a", key: createPrivateKey({ key: der, format: "der", type: "pkcs8" }) };
  }
  throw new RangeError('Cannot use a webhook key that begins with neither "whsec_" nor "whsk_"');
}

/** A new shared secret, `whsec_…`: 32 random bytes. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** A new pair of Ed25519 keys: `whsk_…` signs and stays here, `whpk_…` is for the receivers. */
export function newKeyPair(): { readonly signingKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8_HEAD.length);
  const signingKey = `whsk_${seed.toString("base64")}`;
  return { signingKey, publicKey: publicKeyOf(signingKey) };
}

/**
 * The public half, `whpk_…`, of a `whsk_…` key.
 * @throws {RangeError} it is not such a key.
 */
export function publicKeyOf(signingKey: string): string {
  const parsed = parseSigningKey(signingKey);
  if (parsed.scheme !== "v1a") throw new RangeError("Cannot tell the public key of a shared secret: it has none");
  const der = createPublicKey(parsed.key).export({ format: "der", type: "spki" });
  return `whpk_${der.subarray(SPKI_HEAD.length).toString("base64")}`;
}

/**
 * Reads `whpk_…`.
 * @throws {RangeError} it is not 32 bytes in base64 behind that prefix.
 */
export function parsePublicKey(text: string): KeyObject {
  const bytes = text.startsWith("whpk_") ? bytesOf(text.slice("whpk_".length)) : Buffer.alloc(0);
  if (bytes.length !== SEED_BYTES)
    throw new RangeError(`Cannot use the public key: expected "whpk_" and ${SEED_BYTES} bytes in base64`);
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: "der", type: "spki" });
}

function bytesOf(text: string): Buffer {
  if (!BASE64.test(text)) throw new RangeError("Cannot use a webhook key that is not base64 behind its prefix");
  return Buffer.from(text, "base64");
}
