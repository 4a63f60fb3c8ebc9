/**
 * Secrets that have to be used, and so cannot be stored as a hash: signing keys of sources and endpoints. At rest they are
 * sealed: whoever reads the database, a backup of it, a reply or a dead letter gets nothing to sign with.
 *
 * A sealed text is `sealed:<key id>:<base64url>`, where the bytes are a random nonce of 12 and what AES-256-GCM made of the text,
 * bound to the place it is kept at: at another place it does not open.
 *
 * S1 The first key seals, every key opens. A new one is put behind the old one until every process knows it, then before it; the old one
 *    stays as long as something is sealed by it.
 * S2 What was stored before there was a key is not sealed, and opens as it is.
 */

/** Seals and opens texts. `place` is where a text is kept, as in `source/github`. */
export interface SecretBox {
  /** Seals a text. */
  seal(text: string, place: string): Promise<string>;
  /**
   * The text of a sealed one; any other as it is (SecretBox.S2).
   * @throws {SecretUnreadableError} its key is none of ours, or it was changed or moved.
   */
  open(text: string, place: string): Promise<string>;
}

/** A sealed text cannot be opened with the keys there are. */
export class SecretUnreadableError extends Error {
  override readonly name = "SecretUnreadableError";
  readonly code = "secret_unreadable";
}

const PREFIX = "sealed:";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const ID_CHARACTERS = 8;

/** Where there is no key: what is stored can be read. Sealed texts do not open. */
export const plainBox: SecretBox = {
  seal: async (text) => text,
  open: async (text, place) => {
    if (isSealed(text)) throw unreadable(place, "there is no TROUPE_SECRET_KEY");
    return text;
  },
};

/**
 * Keys as they are written: base64 of 32 bytes each, separated by commas.
 * @throws {RangeError} one is something else; the message does not show it.
 */
export function parseSecretKeys(text: string): readonly Uint8Array<ArrayBuffer>[] {
  return text.split(",").map((one, i) => {
    const key = /^[A-Za-z0-9+/]{43}=$/.test(one.trim()) ? Uint8Array.fromBase64(one.trim()) : new Uint8Array();
    if (key.length !== KEY_BYTES) throw new RangeError(`Cannot take key ${i + 1}: expected 32 bytes in base64`);
    return key;
  });
}

/**
 * A box for keys of 32 random bytes, the one to seal with first.
 *
 * @example
 * ```ts
 * import { parseSecretKeys, secretBox } from "#infra/secrets/secret-box.ts";
 *
 * const box = secretBox(parseSecretKeys("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="));
 * const sealed = await box.seal("whsec_…", "endpoint/ep_1");
 * await box.open(sealed, "endpoint/ep_1"); // "whsec_…"
 * ```
 */
export function secretBox(keys: readonly Uint8Array<ArrayBuffer>[]): SecretBox {
  if (keys.length === 0) throw new RangeError("Cannot make a secret box of no key");
  const imported = Promise.all(keys.map(importKey));
  return {
    async seal(text, place) {
      const [first] = await imported;
      if (first === undefined) throw new RangeError("Cannot seal without a key");
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = await crypto.subtle.encrypt(parameters(nonce, place), first.key, new TextEncoder().encode(text)); // SecretBox.S1
      return `${PREFIX}${first.id}:${Buffer.concat([nonce, new Uint8Array(sealed)]).toString("base64url")}`;
    },
    async open(text, place) {
      if (!isSealed(text)) return text; // SecretBox.S2
      const [, id, body = ""] = text.split(":");
      const known = (await imported).find((one) => one.id === id);
      if (known === undefined) throw unreadable(place, `the key ${id} is not among those of TROUPE_SECRET_KEY`);
      try {
        const bytes = Uint8Array.fromBase64(body, { alphabet: "base64url" });
        const nonce = bytes.subarray(0, NONCE_BYTES);
        const opened = await crypto.subtle.decrypt(parameters(nonce, place), known.key, bytes.subarray(NONCE_BYTES));
        return new TextDecoder().decode(opened);
      } catch {
        throw unreadable(place, "it was changed, or belongs to another place");
      }
    },
  };
}

/**
 * Those of several texts that open, in their order: of secrets in rotation an old one may be lost.
 * @throws {SecretUnreadableError} none of them does.
 */
export async function openWhatOpens(
  box: Pick<SecretBox, "open">,
  texts: readonly string[],
  place: string,
): Promise<string[]> {
  const opened = await Promise.allSettled(texts.map((text) => box.open(text, place)));
  const good = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const bad = opened.find((one) => one.status === "rejected");
  if (good.length === 0 && bad !== undefined) throw bad.reason;
  return good;
}

/** Whether a text is sealed. */
export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** A name for a key, by which nobody can guess it: the first 8 hex digits of its SHA-256. */
export function secretKeyId(key: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(key).digest("hex").slice(0, ID_CHARACTERS);
}

async function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<{ readonly id: string; readonly key: CryptoKey }> {
  const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  return { id: secretKeyId(bytes), key };
}

function parameters(nonce: Uint8Array<ArrayBuffer>, place: string): AesGcmParams {
  return { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(place) };
}

function unreadable(place: string, why: string): SecretUnreadableError {
  return new SecretUnreadableError(`Cannot open a secret of ${place} as ${why}`);
}
