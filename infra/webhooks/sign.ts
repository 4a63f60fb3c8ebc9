import { createHmac, sign as signWith } from "node:crypto";
import type { SigningKey } from "./signing-key.ts";

/** The headers of a signed webhook, by Standard Webhooks 1.0. */
export interface SignatureHeaders {
  readonly "webhook-id": string;
  /** Seconds since the epoch. */
  readonly "webhook-timestamp": string;
  /** A signature per key, separated by spaces: `v1,… v1a,…`. */
  readonly "webhook-signature": string;
}

/**
 * Signs exactly these bytes. With several keys (during a rotation) the receiver may know any one of them.
 * @throws {RangeError} without a key, or for an id with a dot, which would make the signed content ambiguous.
 */
export function signWebhook(
  { id, at, body }: { readonly id: string; readonly at: Date; readonly body: Uint8Array },
  keys: readonly SigningKey[],
): SignatureHeaders {
  if (keys.length === 0) throw new RangeError("Cannot sign a webhook without a key");
  if (id.includes(".")) throw new RangeError("Cannot sign a webhook whose id holds a dot");
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const content = signedContent(id, timestamp, body);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": keys.map((key) => signatureOf(content, key)).join(" "),
  };
}

/** What is signed: `id.timestamp.body`. */
export function signedContent(id: string, timestamp: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
}

function signatureOf(content: Buffer, key: SigningKey): string {
  const bytes =
    key.scheme === "v1" ? createHmac("sha256", key.secret).update(content).digest() : signWith(null, content, key.key);
  return `${key.scheme},${bytes.toString("base64")}`;
}
