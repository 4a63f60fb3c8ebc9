/**
 * Publishes events to a JetStream stream.
 *
 * Owns: the stream's existence, how records become messages, how a batch is stored. Does not own: trying again (the
 * relay does), the connection when it was given one.
 *
 * N1 A record is acked only after JetStream said it is stored. With `sync_interval: always` at the server that means
 *    on disk.
 * N2 The records of a target are stored in the order given, also when an earlier call failed half way: a batch is
 *    stored whole or not at all, and single publishes never have two of a target under way.
 * N3 Every message carries the record's id as `Nats-Msg-Id`: a repeat within the stream's dedupe window is not stored.
 */
import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
import { jetstreamManager } from "@nats-io/jetstream";

import { MAX_ATOMIC_BATCH, publishAtomicBatch } from "./atomic-batch.ts";
import { runInChains } from "./chains.ts";
import { connectNats, type NatsLink } from "./connection.ts";
import { type EventMessage, eventHeaders, eventMessage } from "./message.ts";
import { MESSAGE_TOO_LARGE, readPublishAck } from "./publish-ack.ts";
import { type EventStreamOptions, ensureEventStream } from "./streams.ts";
import { EVENT_SUBJECT_PREFIX } from "./subjects.ts";

/** Bytes of one atomic batch: the client buffers all of them before the socket takes them. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
const ACKED: PublishResult = { kind: "acked" };

export type NatsSinkOptions = EventStreamOptions & {
  readonly log: Log;
  /** Records per `publish` call. @default 1_000 */
  readonly maxBatch?: number;
  /** Single publishes under way at once, where a batch cannot be stored as one. @default 256 */
  readonly window?: number;
  /** Milliseconds a batch, or a single publish, may take. @default 5_000 */
  readonly deadlineMs?: number;
} & (
    | { /** Shared; stays open. */ readonly connection: NatsLink }
    | { /** A connection of the sink's own; closed with it. */ readonly url: string }
  );

/**
 * The sink `nats`: one batch at a time, stored atomically.
 *
 * `publish` rejects with {@link NatsUnavailableError} when the broker is away and with the broker's own words when it
 * refuses for now; then nothing is known and the whole batch may be tried again. A record over the broker's size limit,
 * or with a type that gives no subject, is `refused`; the others go on.
 */
export function natsSink(options: NatsSinkOptions): Sink {
  const own = "url" in options ? connectNats({ url: options.url, log: options.log, name: "troupe-sink" }) : undefined;
  const link = own ?? (options as { readonly connection: NatsLink }).connection;
  const maxBatch = Math.min(options.maxBatch ?? MAX_ATOMIC_BATCH, MAX_ATOMIC_BATCH);
  const publisher = new StreamPublisher(link, options);
  return {
    name: "nats",
    accepts: "event",
    lane: { kind: "batch", maxBatch },
    publish: (records) => publisher.publish(records),
    check: () =>
      link.use("check JetStream", 2_000, async (client) => {
        await (await jetstreamManager(client, { timeout: 2_000, checkAPI: false })).getAccountInfo();
      }),
    close: async () => own?.close(),
  };
}

class StreamPublisher {
  readonly #link: NatsLink;
  readonly #options: NatsSinkOptions;
  readonly #deadlineMs: number;
  readonly #prefix: string;
  /** Whether the stream takes batches; `undefined` until it is known to exist. */
  #stream: { readonly atomic: boolean } | undefined;

  constructor(link: NatsLink, options: NatsSinkOptions) {
    this.#link = link;
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#prefix = options.subjectPrefix ?? EVENT_SUBJECT_PREFIX;
  }

  async publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const results = new Map<string, PublishResult>();
    const limit = await this.#prepare();
    const messages: EventMessage[] = [];
    for (const record of records) {
      const message = this.#messageOf(record, limit);
      if ("kind" in message) results.set(record.id, message);
      else messages.push(message);
    }
    for (const chunk of chunks(messages)) {
      const outcome = await this.#store(chunk).catch((error: unknown) => {
        // The stream may have been deleted: look again before the next try.
        this.#stream = undefined;
        throw error;
      });
      chunk.forEach(({ record }, i) => results.set(record.id, outcome[i] as PublishResult));
    }
    return records.map((record) => results.get(record.id) ?? ACKED);
  }

  /** Makes sure of the stream. Resolves with the size limit of the server now connected. */
  #prepare(): Promise<number> {
    return this.#link.use("prepare the event stream", this.#deadlineMs, async (client) => {
      if (this.#stream === undefined) {
        const manager = await jetstreamManager(client, { timeout: this.#deadlineMs, checkAPI: false });
        this.#stream = await ensureEventStream(manager, this.#options);
      }
      return client.info?.max_payload ?? 1_048_576;
    });
  }

  #messageOf(record: OutboxRecord, limit: number): EventMessage | PublishResult {
    try {
      const message = eventMessage(record, this.#prefix);
      if (message.sizeBytes <= limit) return message;
      return { kind: "refused", detail: `The event has ${message.sizeBytes} bytes with its headers, the broker takes ${limit}` };
    } catch (error) {
      if (error instanceof RangeError) return { kind: "refused", detail: error.message };
      throw error;
    }
  }

  async #store(chunk: readonly EventMessage[]): Promise<readonly PublishResult[]> {
    if (this.#stream?.atomic === true && chunk.length > 1) {
      const ack = await this.#link.use(`publish ${chunk.length} events`, this.#deadlineMs, (client) => publishAtomicBatch(client, chunk, this.#deadlineMs));
      if (ack.kind === "stored") return chunk.map(() => ACKED);
      // Nothing of it is stored. One by one shows which records are repeats and which are too large.
      this.#options.log("debug", "nats:batch:rejected", { code: ack.code, reason: ack.detail, records: chunk.length });
    }
    const window = this.#options.window ?? 256;
    return runInChains(chunk, ({ record }) => record.target, window, (message) => this.#storeOne(message));
  }

  async #storeOne(message: EventMessage): Promise<PublishResult> {
    const request = { headers: eventHeaders(message), timeout: this.#deadlineMs };
    const ack = await this.#link.use("publish an event", this.#deadlineMs, async (client) =>
      readPublishAck(await client.request(message.subject, message.payload, request)),
    );
    if (ack.kind === "stored") return ACKED;
    if (ack.code === MESSAGE_TOO_LARGE) return { kind: "refused", detail: `The stream refused the event: ${ack.detail}` };
    throw new Error(`Cannot publish ${message.record.id} as JetStream refused it: ${ack.detail} (${ack.code})`);
  }
}

function* chunks(messages: readonly EventMessage[]): Generator<readonly EventMessage[]> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const size = (messages[i] as EventMessage).sizeBytes;
    if (i > from && (i - from >= MAX_ATOMIC_BATCH || bytes + size > MAX_BATCH_BYTES)) {
      yield messages.slice(from, i);
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (messages.length > from) yield messages.slice(from);
}
