import * as v from "valibot";
import { parseDateTime } from "#infra/time/rfc3339.ts";

/** Text that stays in one line of a header or a log. */
// oxlint-disable-next-line no-control-regex -- these are what is kept out
const ONE_LINE = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]+$/;
const line = (max: number) => v.pipe(v.string(), v.maxLength(max), v.regex(ONE_LINE, "must be text in one line"));

/** What a header of RabbitMQ takes. */
const MAX_TYPE_BYTES = 255;

/** Any type of CloudEvents: `order.placed.v1`, `orders/create`, `Push Hook`, `https://example.com/made`. */
export const EventType = v.pipe(
  line(200),
  v.maxBytes(MAX_TYPE_BYTES, `must be at most ${MAX_TYPE_BYTES} bytes of UTF-8`),
);

/** The attributes of an event that the specification names. */
export const EventAttributes = {
  id: line(200),
  /** Who says it: a URI reference, as in `/sources/github`. */
  source: line(500),
  type: EventType,
  /** What it is about. Events of one subject stay in order. */
  subject: v.optional(line(500)),
  time: v.optional(v.pipe(v.string(), v.maxLength(60), v.check(isTime, "must be a time as in 2026-01-31T12:00:00Z"))),
  datacontenttype: v.optional(line(200)),
  dataschema: v.optional(line(500)),
};

/** Names that no extension may have: they say something else in an event. */
export const RESERVED: ReadonlySet<string> = new Set([...Object.keys(EventAttributes), "specversion", "data"]);

const ExtensionName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]{1,100}$/, "must be 1 to 100 of a-z and 0-9"),
  v.check((name) => !RESERVED.has(name), "must not be the name of an attribute"),
);

/**
 * A CloudEvents 1.0 event, checked. `data` is JSON; what is none comes as `data_base64`. Data with numbers that JSON.parse
 * would change comes as its text, in `data_json`.
 */
export const GatewayEvent = v.strictObject({
  ...EventAttributes,
  data: v.optional(v.unknown()),
  data_json: v.optional(v.string()),
  data_base64: v.optional(v.pipe(v.string(), v.base64("must be base64"))),
  /** Further attributes, beside those above in the event itself. */
  extensions: v.record(ExtensionName, line(1_000)),
});
export type GatewayEvent = v.InferOutput<typeof GatewayEvent>;

export const AcceptEvent = v.strictObject({ event: GatewayEvent });

/** `traceparent` is that of the request that was first: a repeat sees another one than its own. */
export const EventAccepted = v.strictObject({
  id: v.string(),
  traceparent: v.nullable(v.string()),
  /** How many places it goes to. */
  destinations: v.number(),
});
export type EventAccepted = v.InferOutput<typeof EventAccepted>;

/** Bits of an inbox's number: 1,024 inboxes are enough that turns spread over all partitions. */
export const INBOX_BITS = 10;

function isTime(text: string): boolean {
  return parseDateTime(text) !== undefined;
}

/** An event as it leaves: a CloudEvent in JSON, its numbers as they came. */
export type OutgoingEvent = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
  readonly source: string;
};
