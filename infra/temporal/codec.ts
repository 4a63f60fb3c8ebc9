/**
 * Seals what Temporal stores: arguments, results, signals, memos, heartbeats and the details of failures. Who reads the
 * server, its database or a backup sees which workflows ran and when, and nothing of what they are about.
 *
 * A sealed payload has the metadata `encoding: binary/encrypted` and `encryption-key-id`, which are the names that
 * Temporal's own samples use. Its data are a random nonce of 12 bytes and what AES-256-GCM made of the whole payload, bound to
 * the key's id.
 *
 * P1 The first key seals, every key opens: a new key is put before the old one, which stays as long as a history is kept that
 *    it sealed.
 * P2 What is not sealed passes as it is: histories from before there was a key still run.
 * P3 A payload that does not open fails the call. A worker tries the task again, so that a key that was forgotten can be added.
 *
 * Search attributes are never sealed: the server has to compare them.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";
import { temporal } from "@temporalio/proto";
import { secretKeyId } from "#infra/secrets/secret-box.ts";

const { Payload: Message } = temporal.api.common.v1;
const ALGORITHM = "aes-256-gcm";
const ENCODING = Buffer.from("binary/encrypted");
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed payload cannot be opened with the keys there are. */
export class PayloadUnreadableError extends Error {
  override readonly name = "PayloadUnreadableError";
  readonly code = "payload_unreadable";
  /** The key that sealed it, as its payload says. */
  readonly keyId: string;

  constructor(keyId: string, why: string) {
    super(`Cannot open a payload of the key ${keyId} as ${why}`);
    this.keyId = keyId;
  }
}

/**
 * The codec of client and worker.
 * @param keys 32 bytes each, the one to seal with first. None: nothing is sealed, and a sealed payload does not open.
 *
 * @example
 * ```ts
 * import { parseSecretKeys } from "#infra/secrets/secret-box.ts";
 * import { sealingCodec } from "#infra/temporal/codec.ts";
 *
 * const codec = sealingCodec(parseSecretKeys("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="));
 * const [sealed] = await codec.encode([{ metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from('"tok_ok"') }]);
 * ```
 */
export function sealingCodec(keys: readonly Uint8Array[]): PayloadCodec {
  const known = keys.map((key) => ({ id: secretKeyId(key), key }));
  const [first] = known;

  function seal(payload: Payload): Payload {
    if (first === undefined || isSealed(payload)) return payload;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, first.key, nonce).setAAD(Buffer.from(first.id));
    const sealed = Buffer.concat([cipher.update(Message.encode(payload).finish()), cipher.final()]);
    return {
      metadata: { encoding: ENCODING, "encryption-key-id": Buffer.from(first.id) },
      data: Buffer.concat([nonce, sealed, cipher.getAuthTag()]),
    };
  }

  function open(payload: Payload): Payload {
    if (!isSealed(payload)) return payload; // Codec.P2
    const id = Buffer.from(payload.metadata?.["encryption-key-id"] ?? []).toString("latin1");
    const shown = /^[0-9a-f]{8}$/.test(id) ? id : "unknown";
    const key = known.find((one) => one.id === id)?.key; // Codec.P1
    if (key === undefined) throw new PayloadUnreadableError(shown, "it is not among those of TROUPE_SECRET_KEY"); // Codec.P3
    const data = payload.data ?? new Uint8Array();
    try {
      const opening = createDecipheriv(ALGORITHM, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      opening.setAAD(Buffer.from(id)).setAuthTag(data.subarray(-TAG_BYTES));
      const bytes = Buffer.concat([opening.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), opening.final()]);
      const { metadata, data: opened } = Message.decode(bytes);
      return { metadata, data: opened };
    } catch {
      throw new PayloadUnreadableError(shown, "it was changed");
    }
  }

  return {
    encode: async (payloads) => payloads.map(seal),
    decode: async (payloads) => payloads.map(open),
  };
}

/** Whether a payload is sealed, by whatever key. */
export function isSealed(payload: Payload): boolean {
  const encoding = payload.metadata?.["encoding"];
  return encoding !== undefined && encoding !== null && ENCODING.equals(encoding);
}
