/**
 * Verifies the signatures of webhooks that come in, over the exact bytes that were received.
 *
 * V1 Comparison takes the same time wherever two signatures differ.
 * V2 Every configured secret is tried, so that a rotation needs no moment at which both sides change.
 * V3 Where the scheme signs a time, one more than five minutes away, either way, is refused: a recorded request is of
 *    no use later. Schemes without a time (GitHub, plain HMAC) rely on the delivery's id being taken once.
 */
import { createHmac, timingSafeEqual, verify as verifyWith } from "node:crypto";
import { signedContent } from "./sign.ts";
import { parsePublicKey, parseSigningKey } from "./signing-key.ts";

/** How a source signs, with its secrets, the newest first. */
export type VerificationScheme =
  /** `whsec_…` secrets and `whpk_…` public keys. */
  | { readonly kind: "standard"; readonly secrets: readonly string[] }
  /** `x-hub-signature-256: sha256=<hex>`. */
  | { readonly kind: "github"; readonly secrets: readonly string[] }
  /** `stripe-signature: t=<seconds>,v1=<hex>`. */
  | { readonly kind: "stripe"; readonly secrets: readonly string[] }
  /** A header that holds the HMAC of the body, perhaps behind a prefix such as `sha256=`. */
  | {
      readonly kind: "hmac";
      readonly secrets: readonly string[];
      readonly header: string;
      readonly algorithm: "sha256" | "sha512";
      readonly encoding: "hex" | "base64";
      readonly prefix?: string;
    };

/** What came of it. A refusal tells the caller nothing that helps to forge; `reason` is for the log. */
export type Verdict =
  | { readonly kind: "verified" }
  | { readonly kind: "refused"; readonly reason: "missing" | "malformed" | "stale" | "mismatch" };

const TOLERANCE_S = 300;
/** More signatures than this in one header are not looked at. */
const MAX_SIGNATURES = 16;
const VERIFIED: Verdict = { kind: "verified" };

/** Whether a request was signed by someone who knows one of the secrets. `now` is milliseconds since the epoch. */
export function verifyWebhook(scheme: VerificationScheme, headers: Headers, body: Uint8Array, now: number): Verdict {
  switch (scheme.kind) {
    case "standard":
      return verifyStandard(scheme.secrets, headers, body, now);
    case "github":
      return verifyHmac({ ...GITHUB, secrets: scheme.secrets }, headers, body);
    case "stripe":
      return verifyStripe(scheme.secrets, headers, body, now);
    case "hmac":
      return verifyHmac(scheme, headers, body);
  }
}

const GITHUB = { header: "x-hub-signature-256", algorithm: "sha256", encoding: "hex", prefix: "sha256=" } as const;

function verifyStandard(secrets: readonly string[], headers: Headers, body: Uint8Array, now: number): Verdict {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  const header = headers.get("webhook-signature");
  if (id === null || timestamp === null || header === null) return refused("missing");
  const fresh = freshness(timestamp, now);
  if (fresh !== undefined) return fresh;
  const content = signedContent(id, timestamp, body);
  const signatures = header.split(" ").slice(0, MAX_SIGNATURES);
  const matches = secrets.some((secret) => {
    if (secret.startsWith("whpk_")) {
      const key = parsePublicKey(secret);
      return valuesOf(signatures, "v1a").some((value) => {
        const bytes = Buffer.from(value, "base64");
        // One signature has one spelling: base64 would allow several.
        return bytes.toString("base64") === value && verifyWith(null, content, key, bytes);
      });
    }
    const key = parseSigningKey(secret);
    if (key.scheme !== "v1") return false;
    const expected = createHmac("sha256", key.secret).update(content).digest("base64");
    return valuesOf(signatures, "v1").some((value) => same(value, expected));
  });
  return matches ? VERIFIED : refused("mismatch");
}

function verifyStripe(secrets: readonly string[], headers: Headers, body: Uint8Array, now: number): Verdict {
  const header = headers.get("stripe-signature");
  if (header === null) return refused("missing");
  const parts = header.split(",").slice(0, MAX_SIGNATURES);
  const [timestamp] = parts.flatMap((part) => (part.startsWith("t=") ? [part.slice(2)] : []));
  const given = parts.flatMap((part) => (part.startsWith("v1=") ? [part.slice(3)] : []));
  if (timestamp === undefined || given.length === 0) return refused("malformed");
  const fresh = freshness(timestamp, now);
  if (fresh !== undefined) return fresh;
  const content = Buffer.concat([Buffer.from(`${timestamp}.`), body]);
  const matches = secrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(content).digest("hex");
    return given.some((value) => same(value, expected));
  });
  return matches ? VERIFIED : refused("mismatch");
}

function verifyHmac(
  {
    secrets,
    header,
    algorithm,
    encoding,
    prefix = "",
  }: Omit<Extract<VerificationScheme, { readonly kind: "hmac" }>, "kind">,
  headers: Headers,
  body: Uint8Array,
): Verdict {
  const given = headers.get(header);
  if (given === null) return refused("missing");
  if (!given.startsWith(prefix)) return refused("malformed");
  const value = given.slice(prefix.length);
  const matches = secrets.some((secret) => same(value, createHmac(algorithm, secret).update(body).digest(encoding)));
  return matches ? VERIFIED : refused("mismatch");
}

function freshness(timestamp: string, now: number): Verdict | undefined {
  if (!/^\d{1,12}$/.test(timestamp)) return refused("malformed");
  return Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE_S ? refused("stale") : undefined; // WebhooksVerify.V3
}

function valuesOf(signatures: readonly string[], scheme: string): string[] {
  return signatures.flatMap((one) => (one.startsWith(`${scheme},`) ? [one.slice(scheme.length + 1)] : []));
}

/** WebhooksVerify.V1: only the lengths can be told apart by time, and they are known. */
function same(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function refused(reason: Extract<Verdict, { readonly kind: "refused" }>["reason"]): Verdict {
  return { kind: "refused", reason };
}
