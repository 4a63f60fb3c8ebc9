import * as v from "valibot";
import { textHash } from "../base/hash.ts";
import type { OutboxRecord } from "../ports/store.ts";
import { isMessageId } from "./validate.ts";

/** An event as it comes from a broker: the parts of a CloudEvent 1.0 that subscriptions use. */
export interface CloudEvent<Data = unknown> {
  /** Unique per `source`; both together make the message id of the command it becomes. */
  readonly id: string;
  /** Who emitted it, as in `/order/ord_42`. */
  readonly source: string;
  readonly type: string;
  /** The key of the actor that emitted it. */
  readonly subject: string | undefined;
  /** RFC 3339. */
  readonly time: string | undefined;
  readonly traceparent: string | undefined;
  readonly data: Data;
}

const Event = v.object({
  specversion: v.literal("1.0"),
  id: v.pipe(v.string(), v.check(isMessageId, "must be 1 to 255 printable characters")),
  source: v.pipe(v.string(), v.minLength(1)),
  type: v.pipe(v.string(), v.minLength(1)),
  subject: v.optional(v.string()),
  time: v.optional(v.string()),
  traceparent: v.optional(v.string()),
  data: v.optional(v.unknown()),
});

/**
 * Reads a structured CloudEvent.
 * @throws {SyntaxError} the text is no JSON.
 * @throws {TypeError} it is no CloudEvent 1.0, or its id could be no message id.
 */
export function parseCloudEvent(text: string): CloudEvent {
  const result = v.safeParse(Event, JSON.parse(text));
  if (!result.success) {
    const [issue] = result.issues;
    const path = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
    throw new TypeError(`Cannot read the event as it is no CloudEvent 1.0: ${path || "it"}: ${issue.message}`);
  }
  const { id, source, type, subject, time, traceparent, data } = result.output;
  return { id, source, type, subject, time, traceparent, data };
}

/**
 * What a repeat of an event is told by. Ids are unique per source alone, so both are in it. At most 255 characters.
 */
export function eventMessageId({ source, id }: Pick<CloudEvent, "source" | "id">): string {
  const plain = `${source} ${id}`;
  // A source with a space could end where another one's id begins.
  return isMessageId(plain) && !source.includes(" ") ? plain : `event#${textHash(JSON.stringify([source, id]))}`;
}

/**
 * The CloudEvents 1.0 envelope of an event record, structured JSON, as every broker gets it:
 * `{specversion, id, source, type, subject, time, datacontenttype, traceparent?, partition, sequence, data}`.
 * The data goes in as the text that was committed, so that all brokers carry the same bytes.
 *
 * @example
 * ```ts
 * const sink: Pick<Sink, "publish"> = {
 *   publish: async (records) =>
 *     records.map((record) => {
 *       console.log(toCloudEvent(record)); // {"specversion":"1.0","id":"evt_…","source":"/order/ord_42",…
 *       return { kind: "acked" };
 *     }),
 * };
 * ```
 */
export function toCloudEvent(record: OutboxRecord): string {
  const source = JSON.stringify(`/${record.actor.type}/${record.actor.key}`);
  const trace = record.traceparent === undefined ? "" : `,"traceparent":${JSON.stringify(record.traceparent)}`;
  return (
    `{"specversion":"1.0","id":"${record.id}","source":${source},"type":${JSON.stringify(record.name)},` +
    `"subject":${JSON.stringify(record.actor.key)},"time":"${new Date(record.at).toISOString()}",` +
    `"datacontenttype":"application/json"${trace},"partition":${record.partition},"sequence":${record.seq},` +
    `"data":${record.body}}`
  );
}

/**
 * The noun of an event type: what stands before the first dot.
 *
 * @example
 * ```ts
 * eventNoun("order.placed.v1"); // "order"
 * ```
 */
export function eventNoun(type: string): string {
  const dot = type.indexOf(".");
  return dot < 0 ? type : type.slice(0, dot);
}
