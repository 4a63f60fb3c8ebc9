import { JetStreamApiError, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import type { NatsLink } from "#infra/nats/connection.ts";
import { readPublishAck } from "#infra/nats/publish-ack.ts";
import { type EventStreamOptions, ensureEventStream } from "#infra/nats/streams.ts";
import { EVENT_SUBJECT_PREFIX } from "#infra/nats/subjects.ts";
import { RefusedRouteError, type RoutedBroker } from "./routed.ts";

export interface RoutedNatsOptions {
  /** Shared; stays open. */
  readonly connection: NatsLink;
  /** Holds the subjects that no other stream takes. @default "ROUTED" */
  readonly stream?: string;
  /** Stands before every subject, with its dot. @default "" */
  readonly subjectPrefix?: string;
  /** The stream of the system's own events: what a route sends below its subjects is stored there. */
  readonly events?: EventStreamOptions;
}

const DEADLINE_MS = 5_000;
const STREAM_NOT_FOUND = 10059;
const WEEK_NS = 7 * 24 * 3_600_000 * 1_000_000;

/**
 * Events to subjects that routes name, stored by JetStream with the event's id as `Nats-Msg-Id`. A subject that no stream
 * takes is added to the stream `ROUTED`, which keeps a week.
 */
export function routedNats({
  connection,
  stream = "ROUTED",
  subjectPrefix = "",
  events = {},
}: RoutedNatsOptions): RoutedBroker<"nats"> {
  /** The making of streams, one after the other: each reads what the one before has written. */
  let making: Promise<void> = Promise.resolve();

  function take(subject: string): Promise<void> {
    making = making.then(
      () => addSubject(subject),
      () => addSubject(subject),
    );
    return making;
  }

  function addSubject(subject: string): Promise<void> {
    return connection.use(`take the subject ${subject}`, DEADLINE_MS, async (client) => {
      const manager = await jetstreamManager(client, { timeout: DEADLINE_MS, checkAPI: false });
      // Its subjects must not be given to another stream: it could not be made any more.
      if (subject.startsWith(`${events.subjectPrefix ?? EVENT_SUBJECT_PREFIX}.`)) {
        await ensureEventStream(manager, events);
        return;
      }
      const { streams } = manager;
      const info = await streams.info(stream).catch((error: unknown) => {
        if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
        throw error;
      });
      if (info === undefined) {
        const storage = StorageType.File;
        const retention = RetentionPolicy.Limits;
        await streams.add({ name: stream, subjects: [subject], storage, retention, max_age: WEEK_NS });
        return;
      }
      const subjects = info.config.subjects ?? [];
      if (!subjects.includes(subject))
        await streams.update(stream, { ...info.config, subjects: [...subjects, subject] });
    });
  }

  return {
    broker: "nats",
    async send({ to, id, type, event, traceparent }) {
      const subject = subjectPrefix + to.subject;
      const made = headers();
      // Per subject: the same event may go to several subjects of a stream.
      made.set("Nats-Msg-Id", `${id} ${to.subject}`);
      made.set("ce_id", encodeURIComponent(id));
      made.set("ce_type", type);
      made.set("content-type", "application/cloudevents+json");
      if (traceparent !== undefined) made.set("traceparent", traceparent);
      const payload = new TextEncoder().encode(event);
      try {
        const ack = await connection.use("publish a routed event", DEADLINE_MS, async (client) => {
          const limit = client.info?.max_payload ?? 1_048_576;
          if (payload.length + 1_024 > limit)
            throw new RefusedRouteError("broker", `NATS takes ${limit} bytes, the event has ${payload.length}`);
          return readPublishAck(await client.request(subject, payload, { headers: made, timeout: DEADLINE_MS }));
        });
        if (ack.kind !== "stored")
          throw new Error(`Cannot publish to ${subject} as JetStream refused it: ${ack.detail}`);
      } catch (error) {
        if (isUnheard(error)) await take(subject);
        throw error;
      }
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

/** Nobody answered on the subject: no stream takes it. */
function isUnheard(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (/no ?responders|503/i.test(`${at.name} ${at.message}`)) return true;
  }
  return false;
}
