import * as v from "valibot";

/** What event types look like here: words between dots, as in `github.pull_request` or `order.placed.v1`. */
export const EVENT_TYPE = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;
export const EventType = v.pipe(
  v.string(),
  v.maxLength(128),
  v.regex(EVENT_TYPE, "must be words of letters, digits, _ and - between dots"),
);

/** Text that stays in one line of a header or a log. */
// oxlint-disable-next-line no-control-regex -- these are what is kept out
const ONE_LINE = /^[^\u0000-\u001f\u007f-\u009f]+$/;
const line = (max: number) => v.pipe(v.string(), v.maxLength(max), v.regex(ONE_LINE, "must be text in one line"));

/** The attributes of an event that the specification names. */
export const EventAttributes = {
  id: line(200),
  /** Who says it: a URI reference, as in `/sources/github`. */
  source: line(500),
  type: EventType,
  /** What it is about. Events of one subject stay in order. */
  subject: v.optional(line(500)),
  time: v.optional(v.pipe(v.string(), v.isoTimestamp("must be a time as in 2026-01-31T12:00:00Z"), v.maxLength(40))),
  datacontenttype: v.optional(line(200)),
  dataschema: v.optional(line(500)),
};

/** A CloudEvents 1.0 event, checked. `data` is JSON; what is none comes as `data_base64`. */
export const GatewayEvent = v.strictObject({
  ...EventAttributes,
  data: v.optional(v.unknown()),
  data_base64: v.optional(v.pipe(v.string(), v.base64("must be base64"))),
  /** Further attributes, beside those above in the event itself. */
  extensions: v.record(v.pipe(v.string(), v.regex(/^[a-z0-9]{1,20}$/, "must be 1 to 20 of a-z and 0-9")), line(1_000)),
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

/** Inboxes there are: enough that turns spread over all partitions. */
export const INBOX_COUNT = 1_024;

/** An event as it leaves: a CloudEvent in JSON. */
export type OutgoingEvent = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
  readonly source: string;
};
