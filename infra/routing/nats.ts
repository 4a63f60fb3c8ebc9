import { JetStreamApiError, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { NatsLink } from "#infra/nats/connection.ts";
import { forbiddenBy } from "#infra/nats/publish-ack.ts";
import { type EventStreamOptions, ensureEventStream } from "#infra/nats/streams.ts";
import { withSubjects } from "#infra/nats/subject-sets.ts";
import { EVENT_SUBJECT_PREFIX } from "#infra/nats/subjects.ts";
import { RoutedPublisher } from "./nats-publisher.ts";
import { headerText, HeldRouteError, RefusedRouteError, type RoutedBroker } from "./routed.ts";

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

const encoder = new TextEncoder();
const DEADLINE_MS = 5_000;
const STREAM_NOT_FOUND = 10059;
const BAD_REQUEST = 400;
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

  /** By subject: all that is sent together finds that nobody takes it. */
  const taking = new Map<string, Promise<void>>();

  function take(subject: string): Promise<void> {
    const underWay = taking.get(subject);
    if (underWay !== undefined) return underWay;
    const add = (): Promise<void> => addSubject(subject);
    making = making.then(add, add).finally(() => taking.delete(subject));
    taking.set(subject, making);
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
        const kept = { storage, retention, max_age: WEEK_NS };
        await streams.add({ name: stream, subjects: [subject], ...kept, allow_atomic: true });
        return;
      }
      const subjects = withSubjects(info.config.subjects, [subject]);
      if (subjects.join() !== info.config.subjects.join())
        await streams.update(stream, { ...info.config, subjects }).catch((error: unknown) => {
          if (!(error instanceof JetStreamApiError) || error.status !== BAD_REQUEST) throw error;
          throw new RefusedRouteError(
            "route",
            `The stream ${stream} cannot take the subject ${subject}: ${error.message}`,
          );
        });
    });
  }

  /** The stream may have been made by a version that did not know of batches. */
  function takeBatches(): Promise<void> {
    return connection.use(`have ${stream} take batches`, DEADLINE_MS, async (client) => {
      const { streams } = await jetstreamManager(client, { timeout: DEADLINE_MS, checkAPI: false });
      const { config } = await streams.info(stream);
      if (config.allow_atomic !== true) await streams.update(stream, { ...config, allow_atomic: true });
    });
  }

  const publisher = new RoutedPublisher(connection, DEADLINE_MS, takeBatches);

  return {
    broker: "nats",
    async send({ to, id, messageId, type, event, traceparent }) {
      const subject = subjectPrefix + to.subject;
      const made: (readonly [string, string])[] = [
        // Per subject: the same event may go to several subjects of a stream.
        ["Nats-Msg-Id", `${messageId} ${to.subject}`],
        ["ce_id", headerText(id)],
        ["ce_type", headerText(type)],
        ["content-type", "application/cloudevents+json"],
      ];
      if (traceparent !== undefined) made.push(["traceparent", traceparent]);
      try {
        const ack = await publisher.publish({ subject, payload: encoder.encode(event), headers: made });
        if (ack.kind === "stored") return;
        const detail = `Cannot publish to ${subject} as JetStream refused it: ${ack.detail} (${ack.code})`;
        throw ack.never ? new RefusedRouteError("broker", detail) : new HeldRouteError(detail);
      } catch (error) {
        const forbidden = forbiddenBy(error);
        if (forbidden !== undefined) throw new RefusedRouteError("route", forbidden);
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
