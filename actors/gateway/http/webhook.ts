/**
 * A webhook as an event.
 *
 * W1 Nothing of the body is looked at before its signature was verified over its exact bytes.
 * W2 Signed means whole: what makes a repeat a repeat comes from what the signature covers. A recorded request that comes again
 *    with another header that is not signed has no second effect.
 */
import { carried } from "#actors/gateway/inbox/exact-data.ts";
import { inboxOf, messageIdOf } from "#actors/gateway/inbox/inbox.ts";
import { valueAt } from "#actors/gateway/inbox/match.ts";
import { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import type { Place, SourceConfig } from "#actors/gateway/source/messages.ts";
import { decode, exactJsonOf, readBytes, refuseEncoding } from "#infra/http/body.ts";
import { parseExactJson } from "#infra/http/json-text.ts";
import { Problem } from "#infra/http/problem.ts";
import { check } from "#infra/http/validate.ts";
import { isNumber } from "#infra/json/exact.ts";
import { type VerificationScheme, verifyWebhook } from "#infra/webhooks/verify.ts";
import type { Log } from "#runtime";
import type { Once } from "./intake.ts";

/** Where the senders of a scheme put things, where the source says nothing else. */
const USUAL: Readonly<Record<SourceConfig["scheme"], { readonly type?: Place; readonly id?: Place }>> = {
  standard: { type: { pointer: "/type" }, id: { header: "webhook-id" } },
  github: { type: { header: "x-github-event" }, id: { header: "x-github-delivery" } },
  stripe: { type: { pointer: "/type" }, id: { pointer: "/id" } },
  hmac: {},
};
/** The one header that a signature covers. */
const SIGNED_ID = "webhook-id";
const FORM = "application/x-www-form-urlencoded";

/** An event, and what it is taken once by. */
export interface Webhook {
  readonly event: GatewayEvent;
  readonly once: Once;
}

/**
 * The event that a webhook is.
 * @throws {Problem} 401 not signed by the source, 400 unreadable, 413 too large, 415 neither JSON nor a form with a `payload`,
 * 422 no usable type or id.
 */
export async function readWebhook(
  name: string,
  source: SourceConfig,
  request: Request,
  log: Log,
  now: number = Date.now(),
): Promise<Webhook> {
  refuseEncoding(request);
  const bytes = await readBytes(request);
  const { headers } = request;
  const verdict = verifyWebhook(schemeOf(source), headers, bytes, now);
  if (verdict.kind === "refused") {
    log("warn", "webhook:refused", { source: name, reason: verdict.reason });
    throw new Problem(401, "webhook.unverified", "The signature of this source is missing, wrong or too old", {
      headers: { "www-authenticate": "Signature" },
    });
  }
  const data = dataIn(bytes, headers.get("content-type"));
  const at = (place: Place | undefined): unknown => textAt(place, headers, data);
  const usual = USUAL[source.scheme];
  const places = { id: source.id ?? usual.id, type: source.type ?? usual.type, subject: source.subject };
  const subject = at(places.subject);
  const digest = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const event = check(GatewayEvent, {
    id: at(places.id) ?? `evt_${digest.slice(0, 32)}`,
    source: `/sources/${name}`,
    type: typeOf(at(places.type), name, source),
    ...(subject === undefined ? {} : { subject }),
    ...carried(data),
    extensions: {},
  });
  return { event, once: onceOf(source, places, event, headers, digest) };
}

/** Webhook.W2 */
function onceOf(
  { scheme }: SourceConfig,
  places: { readonly [K in "id" | "type" | "subject"]: Place | undefined },
  event: GatewayEvent,
  headers: Headers,
  digest: string,
): Once {
  const isSigned = (place: Place | undefined): boolean =>
    place === undefined || "pointer" in place || (scheme === "standard" && place.header === SIGNED_ID);
  const idIsSigned = places.id !== undefined && isSigned(places.id);
  const signedId = idIsSigned ? event.id : scheme === "standard" ? headers.get(SIGNED_ID) : null;
  const { source } = event;
  const id = signedId === null ? `signed#${digest} ${source}` : messageIdOf({ source, id: signedId });
  return {
    id,
    // A subject that is not signed would lead a repeat to another inbox.
    inbox: inboxOf({ source, id, ...(isSigned(places.subject) && { subject: event.subject }) }),
    // Then the same signed request says something else only in what is not signed.
    mayDiffer: signedId === null || !isSigned(places.type) || !isSigned(places.subject) || !idIsSigned,
  };
}

/** JSON, or the JSON in the member `payload` of a form, as GitHub sends it. */
function dataIn(bytes: Uint8Array, contentType: string | null): unknown {
  if ((contentType ?? "").toLowerCase().split(";")[0]?.trim() !== FORM) return exactJsonOf(bytes, contentType);
  const payloads = new URLSearchParams(decode(bytes)).getAll("payload");
  if (payloads.length !== 1)
    throw new Problem(400, "form.malformed", "The form needs one member payload, which holds JSON");
  return parseExactJson(payloads[0] as string);
}

function textAt(place: Place | undefined, headers: Headers, data: unknown): unknown {
  if (place === undefined) return undefined;
  const value = "header" in place ? headerAt(place.header, headers) : valueAt(data, place.pointer);
  // A number as it came: two ids that differ in their last digit are two.
  return isNumber(value) || typeof value === "boolean" ? JSON.stringify(value) : (value ?? undefined);
}

/** A header holds bytes: whoever reads others than ASCII as text may read another one. @throws {Problem} 422 */
function headerAt(name: string, headers: Headers): string | null {
  const value = headers.get(name);
  if (value === null || /^[\t\x20-\x7e]*$/.test(value)) return value;
  const issue = {
    path: `header/${name}`,
    message: "holds other characters than ASCII",
    expected: "ASCII",
    received: "others",
  };
  throw new Problem(422, "invalid_input", "The content does not fit: see errors", { issues: [issue] });
}

/** The type as the source says: mapped, else behind its prefix. */
function typeOf(given: unknown, name: string, { types = {}, typePrefix = `${name}.` }: SourceConfig): unknown {
  if (typeof given !== "string") return given;
  return Object.hasOwn(types, given) ? types[given] : `${typePrefix}${given}`;
}

function schemeOf({ scheme, secrets, signature }: SourceConfig): VerificationScheme {
  if (scheme !== "hmac") return { kind: scheme, secrets };
  if (signature === undefined) throw new TypeError("Cannot verify a webhook as its source has no signature header");
  return { kind: "hmac", secrets, ...signature };
}

/** Why a secret cannot be used with a scheme, or `undefined`. Tries it, so that a bad one is found out when it is put. */
export function secretFault(source: SourceConfig): string | undefined {
  try {
    const headers = { "webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": "v1,a v1a,a" };
    verifyWebhook(schemeOf(source), new Headers(headers), new Uint8Array(), 0);
    return undefined;
  } catch {
    return source.scheme === "standard" ? "must be whsec_… or whpk_… with base64" : "cannot be used with this scheme";
  }
}
