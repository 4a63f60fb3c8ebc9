import type { Fingerprint } from "./messages.ts";

const SECRET_BYTES = 32;
const PREFIX_LENGTH = 11;
const KEY = /^tk_[A-Za-z0-9_-]{43}$/;

/** A new key: `tk_` and 256 random bits in base64url. Shown to whom it is made for, and kept nowhere. */
export function newSecret(): string {
  return `tk_${Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString("base64url")}`;
}

/** Whether a text can be a key at all. */
export function isSecret(text: string): boolean {
  return KEY.test(text);
}

/** What is kept of a key: with 256 random bits in it, a plain SHA-256 cannot be turned back. */
export function fingerprintOf(secret: string): Fingerprint {
  return { hash: hashOf(secret).toString("hex"), prefix: prefixOf(secret) };
}

export function hashOf(secret: string): Buffer {
  return new Bun.CryptoHasher("sha256").update(secret).digest();
}

export function prefixOf(secret: string): string {
  return secret.slice(0, PREFIX_LENGTH);
}
