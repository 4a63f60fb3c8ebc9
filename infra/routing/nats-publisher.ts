import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import {
  BATCH_FROM,
  MAX_ATOMIC_BATCH,
  MAX_BATCH_BYTES,
  publishAtomicBatch,
  TAKES_NO_BATCHES,
} from "#infra/nats/atomic-batch.ts";
import type { NatsLink } from "#infra/nats/connection.ts";
import { pieces } from "#infra/nats/groups.ts";
import { type PublishAck, readPublishAck } from "#infra/nats/publish-ack.ts";
import { wireHeaders } from "#infra/nats/wire-headers.ts";
import { RefusedRouteError } from "./routed.ts";

type Header = readonly [name: string, value: string];

/** An event as it goes to a subject. */
export interface RoutedMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: readonly Header[];
}

interface Waiting extends RoutedMessage {
  /** On the wire, headers included, rounded up. */
  readonly sizeBytes: number;
  readonly acked: PromiseWithResolvers<PublishAck>;
}

const HEADER_BYTES = 1_024;

/**
 * Stores what is sent in the same moment together: many of one subject as an atomic batch, which the server flushes once, all
 * others side by side. What a batch is refused for shows when its messages are stored one by one.
 *
 * Sends of one moment may be stored in any order: whoever needs an order waits for one before the next.
 */
export class RoutedPublisher {
  readonly #connection: NatsLink;
  readonly #deadlineMs: number;
  readonly #prepareBatches: () => Promise<void>;
  #prepared: Promise<void> | undefined;
  #gathered: Waiting[] = [];
  /** Subjects of streams that take no batches. */
  readonly #single = new Set<string>();

  /** @param prepareBatches has our own stream take batches; called before the first one. A failure makes no difference. */
  constructor(connection: NatsLink, deadlineMs: number, prepareBatches: () => Promise<void>) {
    this.#connection = connection;
    this.#deadlineMs = deadlineMs;
    this.#prepareBatches = prepareBatches;
  }

  /** Resolves with what JetStream answered. @throws {RefusedRouteError} it is too large for the broker. */
  publish(message: RoutedMessage): Promise<PublishAck> {
    const acked = Promise.withResolvers<PublishAck>();
    const sizeBytes = message.payload.length + HEADER_BYTES;
    if (this.#gathered.push({ ...message, sizeBytes, acked }) === 1) queueMicrotask(() => this.#publishAll());
    return acked.promise;
  }

  #publishAll(): void {
    const messages = this.#gathered;
    this.#gathered = [];
    const sent = this.#connection.use("publish routed events", this.#deadlineMs, async (client) => {
      const limit = client.info?.max_payload ?? 1_048_576;
      const bySubject = Map.groupBy(
        messages.filter((message) => fits(message, limit)),
        ({ subject }) => subject,
      );
      await Promise.all([...bySubject.values()].map((group) => this.#publishGroup(client, group)));
    });
    // The connection was lost: what is not answered by now never will be.
    sent.catch((error: unknown) => {
      for (const { acked } of messages) acked.reject(error);
    });
  }

  async #publishGroup(client: NatsConnection, group: readonly Waiting[]): Promise<void> {
    for (const piece of pieces(group, MAX_ATOMIC_BATCH, MAX_BATCH_BYTES)) {
      if (piece.length >= BATCH_FROM && (await this.#storedWhole(client, piece))) continue;
      await Promise.all(piece.map((message) => this.#publishOne(client, message)));
    }
  }

  /** Whether a batch is stored, and answered. Else nothing of it is stored. */
  async #storedWhole(client: NatsConnection, piece: readonly Waiting[]): Promise<boolean> {
    const subject = piece[0]?.subject ?? "";
    if (this.#single.has(subject)) return false;
    await (this.#prepared ??= this.#prepareBatches().catch(() => undefined));
    const ack = await publishAtomicBatch(client, piece, headersOf, this.#deadlineMs);
    if (ack.kind === "rejected") {
      if (ack.code === TAKES_NO_BATCHES) this.#single.add(subject);
      return false;
    }
    for (const { acked } of piece) acked.resolve(ack);
    return true;
  }

  async #publishOne(client: NatsConnection, message: Waiting): Promise<void> {
    const { subject, payload, acked } = message;
    try {
      const options = { headers: headersOf(message), timeout: this.#deadlineMs };
      acked.resolve(readPublishAck(await client.request(subject, payload, options)));
    } catch (error) {
      acked.reject(error);
    }
  }
}

function headersOf({ headers }: RoutedMessage, further: readonly Header[] = []): MsgHdrs {
  return wireHeaders([...headers, ...further]);
}

function fits({ sizeBytes, payload, acked }: Waiting, limit: number): boolean {
  if (sizeBytes <= limit) return true;
  acked.reject(new RefusedRouteError("broker", `NATS takes ${limit} bytes, the event has ${payload.length}`));
  return false;
}
