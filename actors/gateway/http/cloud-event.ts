import * as v from "valibot";
import { carried } from "#actors/gateway/inbox/exact-data.ts";
import { EventAttributes, GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { exactJsonOf, isJson, readBytes, refuseEncoding } from "#infra/http/body.ts";
import { Problem } from "#infra/http/problem.ts";
import { check } from "#infra/http/validate.ts";
import { isNumber } from "#infra/json/exact.ts";
import { newId } from "#runtime";

/** An event in the short form. */
export const PlainEvent = v.strictObject({
  type: EventAttributes.type,
  data: v.optional(v.unknown()),
  id: v.optional(EventAttributes.id),
  subject: EventAttributes.subject,
});

/** Where events in the short form come from. */
export const PLAIN_SOURCE = "/events";

const ATTRIBUTES: ReadonlySet<string> = new Set([...Object.keys(EventAttributes), "data_base64"]);
/** Attributes that are headers in binary mode. */
const NAMED: ReadonlySet<string> = new Set(Object.keys(EventAttributes));
/** How most senders say it. */
const PLAIN_JSON = "application/json";
/** Items of one batch, at most. */
export const MAX_BATCH = 500;

/** What a request to `/events` holds. Items of a batch are read one by one with {@link structuredEvent}. */
export type Incoming =
  | { readonly kind: "one"; readonly event: GatewayEvent }
  | { readonly kind: "batch"; readonly items: readonly unknown[] };

/**
 * Reads the request: CloudEvents in the structured, binary or batched mode of the HTTP binding, or the short form.
 * @param idOf the id of an event in the short form that has none.
 * @throws {Problem} 400 unreadable, 413 too large, 415 no mode this is, 422 an attribute does not fit.
 */
export async function readEvents(request: Request, idOf: () => string = () => newId("evt")): Promise<Incoming> {
  refuseEncoding(request);
  const type = request.headers.get("content-type");
  const media = type === PLAIN_JSON ? type : (type?.toLowerCase().split(";")[0] ?? "").trim();
  const bytes = await readBytes(request);
  if (media.startsWith("application/cloudevents-batch"))
    return { kind: "batch", items: batchOf(exactJsonOf(bytes, type)) };
  if (media.startsWith("application/cloudevents")) return one(structuredEvent(exactJsonOf(bytes, type)));
  if (request.headers.has("ce-specversion")) return one(binaryEvent(request.headers, bytes, type));
  const body = exactJsonOf(bytes, type);
  if (isObject(body) && Object.hasOwn(body, "specversion")) return one(structuredEvent(body));
  const { id = idOf(), type: eventType, subject, data } = check(PlainEvent, body);
  return one({
    id,
    source: PLAIN_SOURCE,
    type: eventType,
    ...(subject !== undefined && { subject }),
    ...(data !== undefined && carried(data)),
    extensions: {},
  });
}

/** @throws {Problem} 422 unless it is a CloudEvent 1.0 in JSON. */
export function structuredEvent(body: unknown): GatewayEvent {
  if (!isObject(body)) throw unfit("", "must be an object", "a CloudEvent");
  requireVersion(body["specversion"], "/specversion");
  const attributes: Record<string, unknown> = {};
  const extensions: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(body)) {
    if (name === "specversion" || value === null) continue;
    if (name === "data") continue;
    if (ATTRIBUTES.has(name)) attributes[name] = value;
    else extensions[name] = isNumber(value) || typeof value === "boolean" ? JSON.stringify(value) : value;
  }
  if (body["data"] !== undefined) Object.assign(attributes, carried(body["data"]));
  if (body["data"] !== undefined && "data_base64" in attributes)
    throw unfit("/data_base64", "cannot stand beside data", "one of them");
  return check(GatewayEvent, { ...attributes, extensions: { ...extensions } });
}

/** Binary mode: attributes in `ce-` headers, the body is the data. */
function binaryEvent(headers: Headers, bytes: Uint8Array, type: string | null): GatewayEvent {
  requireVersion(headers.get("ce-specversion"), "header/ce-specversion");
  const attributes: Record<string, unknown> = {};
  const extensions: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [header, value] of headers) {
    if (!header.startsWith("ce-") || header === "ce-specversion") continue;
    const name = header.slice(3);
    (NAMED.has(name) ? attributes : extensions)[name] = decoded(value, header);
  }
  if (type !== null) attributes["datacontenttype"] = type;
  if (bytes.length > 0) {
    if (type !== null && isJson(type)) Object.assign(attributes, carried(exactJsonOf(bytes, type)));
    else attributes["data_base64"] = Buffer.from(bytes).toString("base64");
  }
  return check(GatewayEvent, { ...attributes, extensions: { ...extensions } });
}

function batchOf(body: unknown): readonly unknown[] {
  if (!Array.isArray(body)) throw unfit("", "must be an array", "an array of CloudEvents");
  if (body.length > MAX_BATCH) throw unfit("", `has ${body.length} items`, `at most ${MAX_BATCH} items`);
  return body;
}

function requireVersion(version: unknown, path: string): void {
  if (version !== "1.0") throw unfit(path, "is not a version known here", '"1.0"');
}

/** A part of a header's value in quotes, where a backslash stands before what would end it (RFC 9110, 5.6.4). */
const QUOTED = /"((?:[^"\\]|\\.)*)"/g;

/**
 * The text of a header's value: what stands in quotes is unescaped, then percent-encoding is undone, once (HTTP binding of
 * CloudEvents 1.0.2, 3.1.3.2).
 */
function decoded(value: string, header: string): string {
  const expected = "percent-encoded UTF-8";
  // A header holds bytes: whoever reads them as text may read another one.
  if (!/^[\t\x20-\x7e]*$/.test(value)) throw unfit(`header/${header}`, "holds other characters than ASCII", expected);
  const plain = value.replaceAll(QUOTED, (_, inner: string) => inner.replaceAll(/\\(.)/g, "$1"));
  if (value.replaceAll(QUOTED, "").includes('"'))
    throw unfit(`header/${header}`, "opens quotes and does not close them", expected);
  try {
    return decodeURIComponent(plain);
  } catch {
    throw unfit(`header/${header}`, "is not percent-encoded text", expected);
  }
}

function unfit(path: string, message: string, expected: string): Problem {
  return new Problem(422, "invalid_input", "The content does not fit: see errors", {
    issues: [{ path, message, expected, received: "something else" }],
  });
}

function one(event: GatewayEvent): Incoming {
  return { kind: "one", event };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNumber(value);
}
