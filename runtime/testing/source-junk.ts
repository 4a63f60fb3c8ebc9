/** What strangers leave where a source consumes. */

/** A message as a producer of any make might write it. */
export interface RawMessage {
  /** `undefined`: none at all, where the broker knows the difference (a tombstone of Kafka), else as little as it takes. */
  readonly body: Uint8Array | undefined;
  /** In the names of the CloudEvents binding. `undefined`: a header without a value, or with one of another type. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** One kind of junk. */
export interface Junk extends RawMessage {
  readonly what: string;
}

const OURS = { ce_id: "evt_junk", ce_type: "order.placed.v1", "content-type": "application/cloudevents+json" };
const encoder = new TextEncoder();
const text = (body: string): Uint8Array => encoder.encode(body);
const event = (over: object): Uint8Array =>
  text(
    JSON.stringify({
      ...{ specversion: "1.0", id: "evt_junk", source: "/order/ord_1", type: "order.placed.v1", subject: "ord_1" },
      ...over,
    }),
  );

/** Bytes that no encoding makes sense of, the same ones each time. */
function garbage(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = 1; i < length; i++) bytes[i] = (x = (x * 75 + 74) % 65_537) & 0xff;
  return bytes;
}

/** Every kind that a source must get over: a poison letter, or skipped with a count, and the next message is read. */
export const JUNK: readonly Junk[] = [
  { what: "a message without a body", body: undefined, headers: OURS },
  { what: "an empty message", body: text(""), headers: {} },
  { what: "plain text without headers", body: text("hello"), headers: {} },
  {
    what: "headers without values",
    body: text("hello"),
    headers: { ce_id: undefined, ce_type: undefined, "content-type": undefined, traceparent: undefined },
  },
  { what: "JSON that is no object", body: text("[null]"), headers: OURS },
  {
    what: "an event with fields of wrong types",
    body: event({ id: 7, source: null, type: ["order.placed.v1"], time: {} }),
    headers: OURS,
  },
  { what: "an event whose id could be none", body: event({ id: "a\u0000b\ud800" }), headers: OURS },
  { what: "an event whose key could be none", body: event({ subject: "a\u0000b\ud800" }), headers: OURS },
  { what: "text that is no UTF-8", body: new Uint8Array([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]), headers: OURS },
  { what: "a megabyte of garbage", body: garbage(1_000_000), headers: OURS },
  { what: "JSON that is nested a hundred thousand deep", body: text("[".repeat(100_000)), headers: OURS },
  {
    what: "another system's envelope",
    body: text(JSON.stringify({ messageType: ["urn:message:Orders:OrderPlaced"], message: { orderId: 1 } })),
    headers: { "MT-Activity-Id": "1", "content-type": "application/vnd.masstransit+json" },
  },
];
