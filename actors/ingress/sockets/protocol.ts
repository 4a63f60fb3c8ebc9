/**
 * What client and server say on `/ws`, as JSON texts.
 *
 * Client: `{"subscribe": ["orders", "orders/ord_1"], "after"?: id}`, `{"unsubscribe": [...]}`, `{"ping": anything}`.
 * Server: `{id, topic, type, data}` for a broadcast; `{subscribed, id}`, `{unsubscribed}` and `{pong, at}` as answers;
 * `{gap, id}` where messages of those topics may be missing before `id`; `{error: {code, detail}}`.
 *
 * An `id` is a place to resume after. That of `subscribed` is where the subscription begins; `pong` tells the place of
 * each subscription as it is then, so that a topic that is quiet for hours can still be resumed.
 */
import * as v from "valibot";
import type { TopicItem, TopicMessage } from "#runtime";

const Topics = v.pipe(v.array(v.string()), v.minLength(1, "names no topic"));

const ClientMessage = v.union(
  [
    v.strictObject({ subscribe: Topics, after: v.optional(v.string()) }),
    v.strictObject({ unsubscribe: Topics }),
    v.strictObject({ ping: v.optional(v.union([v.string(), v.number(), v.null()])) }),
  ],
  "expected subscribe (with or without after), unsubscribe or ping",
);
export type ClientMessage = v.InferOutput<typeof ClientMessage>;

/** Every code of an error frame, as a closed list. The socket stays open, and nothing of the message took effect. */
export type SocketErrorCode =
  /** Not JSON, or none of the messages there are. */
  | "invalid_message"
  | "invalid_topic"
  /** `after` is no id. */
  | "invalid_after"
  /** More than 100 on one socket. */
  | "too_many_topics"
  | "forbidden_topic"
  /** Try again in a while. */
  | "unavailable"
  | "internal";

/** A message of the client; `undefined` for what is none. */
export function readMessage(value: unknown): ClientMessage | undefined {
  const result = v.safeParse(ClientMessage, value);
  return result.success && !Array.isArray(value) ? result.output : undefined;
}

/** Frames of messages that go to several sockets are written once. */
const frames = new WeakMap<TopicMessage, string>();

/** The frame of what a subscription brings. */
export function frameOf(item: TopicItem): string {
  if (item.kind === "gap") return JSON.stringify({ gap: item.topics, id: item.id });
  let frame = frames.get(item);
  if (frame === undefined) {
    const { id, topic, type } = item;
    frame = `${JSON.stringify({ id, topic, type }).slice(0, -1)},"data":${item.body}}`;
    frames.set(item, frame);
  }
  return frame;
}

export function errorFrame(code: SocketErrorCode, detail: string): string {
  return JSON.stringify({ error: { code, detail } });
}
