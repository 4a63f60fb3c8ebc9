import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
import { toCloudEvent } from "#runtime";
import { groupBy } from "../base/group-by.ts";
/**
 * The sink `redis`: events as entries of Redis Streams.
 *
 * S1 A batch is one transaction, so an entry never stands before an earlier one of its key. The next batch starts when the one
 *    before has ended.
 * S2 An entry is acked after Redis has answered for it: a transaction writes the others beside one that fails. With
 *    `appendfsync always` it is on disk by then; `bun run doctor` tells.
 * S3 What `publish` sends again after it threw may be there twice, with the same `id` field.
 * S4 A key that is no stream, or may not be written, takes its own events with it and no others.
 */
import type { ClientTls } from "../base/tls.ts";
import type { RedisClient } from "./client.ts";
import { isAnswer, isNever, repliesOf } from "./refusal.ts";
import { RedisSession } from "./session.ts";
import { eventStream } from "./streams.ts";
import { StreamTrimmer } from "./trim.ts";

/** Options of {@link redisSink}. */
export interface RedisSinkOptions {
  readonly url: string;
  /** Certificates for `rediss://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls;
  readonly log: Log;
  /** Stands before every stream's name. @default "" */
  readonly streamPrefix?: string;
  /** How long entries are kept, in milliseconds. Trimming is approximate: some older ones stay. @default 24 h */
  readonly retentionMs?: number;
  /** How long entries are kept that a consumer group has not acknowledged, in milliseconds. @default 7 days */
  readonly unreadRetentionMs?: number;
  /** Bytes of an event at most; a larger one is refused. @default 1 MiB */
  readonly maxBytes?: number;
  /** Records per `publish` call. @default 1_000 */
  readonly maxBatch?: number;
  /** Milliseconds until a call counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

interface Entry {
  readonly id: string;
  readonly stream: string;
  readonly fields: Record<string, string>;
}

const ACKED: PublishResult = { kind: "acked" };
const HELD: PublishResult = { kind: "held" };

/**
 * Events go to the stream of their noun (`events:order`), in order per key, with the fields `id`, `event` (the
 * CloudEvent), `type`, `contenttype` and, where known, `traceparent`.
 *
 * `publish` rejects with {@link RedisUnavailableError} when the server is away, and with the server's own words when it
 * takes nothing for now (`OOM …`). A record over `maxBytes`, with a type that gives no stream, or for a key that is no stream or
 * may not be written, is `refused`; one that is not taken now, beside others that are, is `held`. The others go on.
 *
 * @example
 * ```ts
 * const sinks = [redisSink({ url: "redis://localhost:6379", log: silentLog })];
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sinks });
 * ```
 */
export function redisSink(options: RedisSinkOptions): Sink {
  const { streamPrefix = "", maxBytes = 1_048_576 } = options;
  const session = new RedisSession({ ...options, name: "troupe-sink" });
  const trimmer = new StreamTrimmer(options);

  async function publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const results = new Map<string, PublishResult>();
    const entries: Entry[] = [];
    for (const record of records) {
      const entry = entryOf(record, streamPrefix, maxBytes);
      if (typeof entry === "string") results.set(record.id, { kind: "refused", detail: entry });
      else entries.push(entry);
    }
    if (entries.length > 0) {
      const what = `publish ${entries.length} events`;
      const outcomes = await session.use(what, (client) => writeEntries(client, entries));
      entries.forEach(({ id, stream }, i) => results.set(id, resultOf(stream, outcomes[i])));
      const streams = new Set(entries.map(({ stream }) => stream));
      await session.use("trim streams", (client) => trimmer.trim(client, streams)).catch(() => undefined);
    }
    return records.map(({ id }) => results.get(id) ?? HELD);
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

/** RedisSink.S2 */
function resultOf(stream: string, outcome: unknown): PublishResult {
  if (!(outcome instanceof Error)) return ACKED;
  return isNever(outcome)
    ? { kind: "refused", detail: `The stream ${stream} does not take it: ${outcome.message}` }
    : HELD;
}

/**
 * Writes entries in their order. Resolves with an id or an error for each.
 * @throws the server's answer, when it took none of them and may take them later.
 */
async function writeEntries(client: RedisClient, entries: readonly Entry[]): Promise<readonly unknown[]> {
  const replies = await addAll(client, entries).catch((error: unknown) => {
    // Nothing was written: one command of the transaction was refused before it began.
    if (isAnswer(error)) return undefined;
    throw error;
  });
  if (replies !== undefined) {
    const failed = replies.filter((reply): reply is Error => reply instanceof Error);
    const [first] = failed;
    if (first !== undefined && failed.length === replies.length && !failed.some(isNever)) throw first;
    return replies;
  }
  const streams = groupBy(entries, ({ stream }) => stream);
  if (streams.size === 1) return addOneByOne(client, entries);
  const outcomes = new Map<Entry, unknown>();
  for (const group of streams.values()) {
    const replies = await writeEntries(client, group).catch((error: unknown) => {
      // The server itself takes nothing now, and nothing was written yet.
      if (outcomes.size === 0 || !isAnswer(error)) throw error;
      return group.map(() => error);
    });
    group.forEach((entry, i) => outcomes.set(entry, replies[i]));
  }
  return entries.map((entry) => outcomes.get(entry));
}

function addAll(client: RedisClient, entries: readonly Entry[]): Promise<readonly unknown[]> {
  const batch = client.multi();
  for (const { stream, fields } of entries) batch.xAdd(stream, "*", fields);
  return repliesOf(batch.exec());
}

/** Up to the first that is not taken now: those behind it would overtake it. @throws that one's answer, if none was taken. */
async function addOneByOne(client: RedisClient, entries: readonly Entry[]): Promise<readonly unknown[]> {
  const outcomes: unknown[] = [];
  let taken = 0;
  for (const { stream, fields } of entries) {
    try {
      outcomes.push(await client.xAdd(stream, "*", fields));
      taken++;
    } catch (error) {
      if (!isAnswer(error)) throw error;
      if (isNever(error)) {
        outcomes.push(error);
        continue;
      }
      if (taken === 0) throw error;
      while (outcomes.length < entries.length) outcomes.push(error);
      break;
    }
  }
  return outcomes;
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
  return { id, stream, fields: traceparent === undefined ? fields : { ...fields, traceparent } };
}
