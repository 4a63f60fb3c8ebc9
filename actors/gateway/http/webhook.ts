import { valueAt } from "#actors/gateway/inbox/match.ts";
import { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import type { Place, SourceConfig } from "#actors/gateway/source/messages.ts";
import { jsonOf, readBytes, refuseEncoding } from "#infra/http/body.ts";
import { Problem } from "#infra/http/problem.ts";
import { check } from "#infra/http/validate.ts";
import { type VerificationScheme, verifyWebhook } from "#infra/webhooks/verify.ts";
import { type Log, newId } from "#runtime";

/** Where the senders of a scheme put things, where the source says nothing else. */
const USUAL: Readonly<Record<SourceConfig["scheme"], { readonly type?: Place; readonly id?: Place }>> = {
  standard: { type: { pointer: "/type" }, id: { header: "webhook-id" } },
  github: { type: { header: "x-github-event" }, id: { header: "x-github-delivery" } },
  stripe: { type: { pointer: "/type" }, id: { pointer: "/id" } },
  hmac: {},
};

/**
 * The event that a webhook is. Nothing of the body is looked at before its signature was verified over its exact bytes.
 * @throws {Problem} 401 not signed by the source, 400 unreadable, 413 too large, 415 not JSON, 422 no usable type or id.
 */
export async function readWebhook(
  name: string,
  source: SourceConfig,
  request: Request,
  log: Log,
  now: number = Date.now(),
): Promise<GatewayEvent> {
  refuseEncoding(request);
  const bytes = await readBytes(request);
  const verdict = verifyWebhook(schemeOf(source), request.headers, bytes, now);
  if (verdict.kind === "refused") {
    log("warn", "webhook:refused", { source: name, reason: verdict.reason });
    throw new Problem(401, "webhook.unverified", "The signature of this source is missing, wrong or too old", {
      headers: { "www-authenticate": "Signature" },
    });
  }
  const data = jsonOf(bytes, request.headers.get("content-type"));
  const at = (place: Place | undefined): string | undefined => {
    const value =
      place === undefined
        ? undefined
        : "header" in place
          ? request.headers.get(place.header)
          : valueAt(data, place.pointer);
    return typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : ((value ?? undefined) as string | undefined);
  };
  const type = at(source.type ?? USUAL[source.scheme].type);
  const subject = at(source.subject);
  return check(GatewayEvent, {
    id: at(source.id ?? USUAL[source.scheme].id) ?? newId("evt"),
    source: `/sources/${name}`,
    type: type === undefined ? undefined : `${source.typePrefix ?? `${name}.`}${type}`,
    ...(subject === undefined ? {} : { subject }),
    data,
    extensions: {},
  });
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
