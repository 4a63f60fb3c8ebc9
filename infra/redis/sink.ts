/**
 * The sink `redis`: events as entries of Redis Streams.
 *
 * S1 A batch is one transaction: all of it is written, or none, so an entry never stands before an earlier one of its
 *    key. The next batch starts when the one before has ended.
 * S2 An entry is acked after Redis has answered. With `appendfsync always` it is on disk by then; `bun run doctor` tells.
 * S3 What `publish` sends again after it threw may be there twice, with the same `id` field.
 */
import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
import { toCloudEvent } from "#runtime";
import { type RedisClient, RedisSession } from "./session.ts";
import { eventStream } from "./streams.ts";

/** Options of {@link redisSink}. */
export interface RedisSinkOptions {
  readonly url: string;
  readonly log: Log;
  /** Stands before every stream's name. @default "" */
  readonly streamPrefix?: string;
  /** How long entries are kept, in milliseconds. Trimming is approximate: some older ones stay. @default 24 h */
  readonly retentionMs?: number;
  /** Bytes of an event at most; a larger one is refused. @default 1 MiB */
  readonly maxBytes?: number;
  /** Records per `publish` call. @default 1_000 */
  readonly maxBatch?: number;
  /** Milliseconds until a call counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

interface Entry {
  readonly stream: string;
  readonly fields: Record<string, string>;
}

const ACKED: PublishResult = { kind: "acked" };
const TRIM_EVERY_MS = 10_000;

/**
 * Events go to the stream of their noun (`events:order`), in order per key, with the fields `id`, `event` (the
 * CloudEvent), `type`, `contenttype` and, where known, `traceparent`.
 *
 * `publish` rejects with {@link RedisUnavailableError} when the server is away, and with the server's own words when it
 * refuses for now (`OOM …`). A record over `maxBytes`, or with a type that gives no stream, is `refused`; the others go on.
 *
 * @example
 * ```ts
 * const sinks = [redisSink({ url: "redis://localhost:6379", log: silentLog })];
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sinks });
 * ```
 */
export function redisSink(options: RedisSinkOptions): Sink {
  const { streamPrefix = "", retentionMs = 86_400_000, maxBytes = 1_048_576 } = options;
  const session = new RedisSession({ ...options, name: "troupe-sink" });
  /** When each stream was last trimmed. */
  const trimmed = new Map<string, number>();

  async function publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const results: PublishResult[] = [];
    const entries: Entry[] = [];
    for (const record of records) {
      const entry = entryOf(record, streamPrefix, maxBytes);
      results.push(typeof entry === "string" ? { kind: "refused", detail: entry } : ACKED);
      if (typeof entry !== "string") entries.push(entry);
    }
    if (entries.length > 0) await session.use(`publish ${entries.length} events`, (client) => write(client, entries));
    return results;
  }

  async function write(client: RedisClient, entries: readonly Entry[]): Promise<void> {
    const batch = client.multi();
    for (const { stream, fields } of entries) batch.xAdd(stream, "*", fields);
    const now = Date.now();
    const due = new Set(entries.map(({ stream }) => stream).filter((s) => now - (trimmed.get(s) ?? 0) > TRIM_EVERY_MS));
    for (const stream of due) {
      batch.xTrim(stream, "MINID", now - retentionMs, { strategyModifier: "~" });
      trimmed.set(stream, now);
    }
    await batch.exec();
  }

  return {
    name: "redis",
    accepts: "event",
    lane: { kind: "batch", maxBatch: options.maxBatch ?? 1_000 },
    publish,
    check: async () => {
      await session.use("reach Redis", (client) => client.ping());
    },
    close: async () => session.close(),
  };
}

/** The entry of a record, or why it can never be one. */
function entryOf(record: OutboxRecord, prefix: string, maxBytes: number): Entry | string {
  let stream: string;
  try {
    stream = eventStream(record.name, prefix);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  const event = toCloudEvent(record);
  const size = Buffer.byteLength(event);
  if (size > maxBytes) return `Redis is not given an event of ${size} bytes: limit is ${maxBytes}`;
  const { id, name, traceparent } = record;
  const fields = { id, type: name, contenttype: "application/cloudevents+json", event };
  return { stream, fields: traceparent === undefined ? fields : { ...fields, traceparent } };
}
