import { jetstreamManager } from "@nats-io/jetstream";
/**
 * Stores events in a JetStream stream.
 *
 * Owns: the stream's existence, how records become messages, how they are stored. Does not own: trying again (the relay
 * does), the connection.
 *
 * N1 A record is acked only after JetStream said it is stored. With `sync_interval: always` at the server that means
 *    on disk.
 * N2 The records of a target are stored in the order given, also when an earlier call failed half way: a batch is
 *    stored whole or not at all, batches side by side share no target, and single publishes never have two of a
 *    target under way.
 * N3 Every message carries the record's id as `Nats-Msg-Id`: a repeat within the stream's dedupe window is not stored.
 * N4 JetStream's answer tells "never" (too large, a sealed stream) from "not now" (a stream, or a subject's share of it, is
 *    full): what is never taken is refused, what is not taken now holds its target alone.
 *
 * Which way a call takes is a matter of measured cost. On a server that flushes every write, an atomic batch costs about
 * 9 ms and then 0.02 ms per message (the server stages it in a store of its own); single publishes cost 0.2 ms each, or
 * 0.4 ms within a target, as they wait for each other there. Batches side by side overlap the 9 ms.
 */
import type { Log, OutboxRecord, PublishResult } from "#runtime";
import { BATCH_FROM, MAX_ATOMIC_BATCH, MAX_BATCH_BYTES, publishAtomicBatch } from "./atomic-batch.ts";
import { runInChains } from "./chains.ts";
import type { NatsLink } from "./connection.ts";
import { groupByTarget, longestChain, pieces } from "./groups.ts";
import { type EventMessage, eventHeaders, eventMessage } from "./message.ts";
import { forbiddenBy, readPublishAck } from "./publish-ack.ts";
import { type EventStreamOptions, ensureEventStream } from "./streams.ts";
import { EVENT_SUBJECT_PREFIX } from "./subjects.ts";

/** As {@link BATCH_FROM}, for the messages of one target: alone they wait for each other. */
const BATCH_FROM_CHAIN = 24;
/** Messages of a group: below the server's limit, so that groups of unequal length are still one batch each. */
export const GROUP_SIZE = 900;

const ACKED: PublishResult = { kind: "acked" };
const HELD: PublishResult = { kind: "held" };

export interface EventPublisherOptions extends EventStreamOptions {
  readonly log: Log;
  /** Makes the message of a record; throws a RangeError for one that has no place. @default {@link eventMessage} */
  readonly toMessage?: (record: OutboxRecord, subjectPrefix: string) => EventMessage;
  /** Single publishes under way at once. @default 256 */
  readonly window?: number;
  /** Milliseconds an atomic batch, or a single publish, may take. @default 5_000 */
  readonly deadlineMs?: number;
}

/** Never called twice at once. */
export class EventPublisher {
  readonly #link: NatsLink;
  readonly #options: EventPublisherOptions;
  readonly #deadlineMs: number;
  readonly #prefix: string;
  /** Whether the stream takes batches; `undefined` until it is known to exist. */
  #stream: { readonly atomic: boolean } | undefined;
  /** Why JetStream last held an event. */
  #notNow = "";

  constructor(link: NatsLink, options: EventPublisherOptions) {
    this.#link = link;
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#prefix = options.subjectPrefix ?? EVENT_SUBJECT_PREFIX;
  }

  /** @see Sink.publish */
  async publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const results = new Map<string, PublishResult>();
    const limit = await this.#prepare();
    const messages: EventMessage[] = [];
    for (const record of records) {
      const message = this.#messageOf(record, limit);
      if ("kind" in message) results.set(record.id, message);
      else messages.push(message);
    }
    const groups = groupByTarget(messages, GROUP_SIZE);
    // Waits for all, so that nothing is under way any more when the relay tries again.
    const ends = await Promise.allSettled(groups.map((group) => this.#storeGroup(group, results)));
    for (const end of ends) {
      if (end.status === "fulfilled") continue;
      // The stream may have been deleted: look again before the next try.
      this.#stream = undefined;
      throw end.reason;
    }
    const all = records.map((record) => results.get(record.id) ?? HELD);
    // Nobody's event is taken: it is the stream that is not well.
    if (all.length > 0 && all.every(({ kind }) => kind === "held")) throw new Error(this.#notNow);
    return all;
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
      const message = (this.#options.toMessage ?? eventMessage)(record, this.#prefix);
      if (message.sizeBytes <= limit) return message;
      return {
        kind: "refused",
        detail: `The event has ${message.sizeBytes} bytes with its headers, the broker takes ${limit}`,
      };
    } catch (error) {
      if (error instanceof RangeError) return { kind: "refused", detail: error.message };
      throw error;
    }
  }

  async #storeGroup(group: readonly EventMessage[], results: Map<string, PublishResult>): Promise<void> {
    for (const piece of pieces(group, MAX_ATOMIC_BATCH, MAX_BATCH_BYTES)) {
      const outcome = await this.#store(piece);
      piece.forEach(({ record }, i) => results.set(record.id, outcome[i] as PublishResult));
    }
  }

  async #store(piece: readonly EventMessage[]): Promise<readonly PublishResult[]> {
    if (this.#stream?.atomic === true && (piece.length >= BATCH_FROM || longestChain(piece) >= BATCH_FROM_CHAIN)) {
      const ack = await this.#link.use(`publish ${piece.length} events`, this.#deadlineMs, (client) =>
        publishAtomicBatch(client, piece, eventHeaders, this.#deadlineMs),
      );
      if (ack.kind === "stored") return piece.map(() => ACKED);
      // Nothing of it is stored. One by one shows which records are repeats and which are too large.
      this.#options.log("debug", "nats:batch:rejected", { code: ack.code, reason: ack.detail, records: piece.length });
    }
    const held = new Set<string>();
    return runInChains(
      piece,
      ({ record }) => record.target,
      this.#options.window ?? 256,
      async (message): Promise<PublishResult> => {
        const { target } = message.record;
        if (held.has(target)) return HELD; // EventPublisher.N2
        const result = await this.#storeOne(message);
        if (result.kind === "held") held.add(target);
        return result;
      },
    );
  }

  /** EventPublisher.N4 */
  async #storeOne(message: EventMessage): Promise<PublishResult> {
    const request = { headers: eventHeaders(message), timeout: this.#deadlineMs };
    try {
      const ack = await this.#link.use("publish an event", this.#deadlineMs, async (client) =>
        readPublishAck(await client.request(message.subject, message.payload, request)),
      );
      if (ack.kind === "stored") return ACKED;
      const detail = `The stream refused the event: ${ack.detail} (${ack.code})`;
      if (ack.never) return { kind: "refused", detail };
      this.#notNow = detail;
      return HELD;
    } catch (error) {
      const forbidden = forbiddenBy(error);
      if (forbidden === undefined) throw error;
      return { kind: "refused", detail: `NATS does not let the event be published: ${forbidden}` };
    }
  }
}
