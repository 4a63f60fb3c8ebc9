import { type Broker, BROKERS } from "#infra/base/brokers.ts";
/** What a run of outages leaves behind: what was asked, what was answered, and what the brokers hold in the end. */

/** What can be away. */
export type Server = Broker | "postgres";

/**
 * `events`: posted to the gateway, which a route sends to all brokers. `orders` and `refills`: events of actors, by the
 * system's own sinks.
 */
export const STREAMS = ["events", "orders", "refills"] as const;
export type Stream = (typeof STREAMS)[number];

/** Where the events of a stream belong. */
export const BELONGS: Readonly<Record<Stream, readonly Broker[]>> = {
  events: BROKERS,
  orders: BROKERS,
  refills: ["nats", "kafka"],
};

/** One event, told apart from all others: the `n`th of its key. Times are milliseconds since the epoch. */
export interface Named {
  readonly stream: Stream;
  /** What order is kept by. */
  readonly key: string;
  /** From 1, without gaps, per stream and key. */
  readonly n: number;
}

/** A request that makes one event. It is sent again, under the same id, until it is answered. */
export interface Posted extends Named {
  /** The event's id, where it is the sender who gives it. */
  readonly id?: string;
  /** When it was answered with 2xx; absent: never, and either outcome is right. */
  acceptedAt?: number;
  /** When the try began that was answered so. */
  askedAt?: number;
}

/** A message on a broker. Each list of them is in the broker's order, repeats included. */
export interface Delivered extends Named {
  /** The event's id as the message carries it. */
  readonly id: string;
  /** When the broker stored it, or gave it to a consumer; absent where that is not known. */
  readonly at?: number;
}

/** A dead letter about an event. */
export interface Letter extends Named {
  readonly broker: Broker;
  readonly reason: string;
}

/** What `GET /ready` said. */
export interface Sighting {
  readonly at: number;
  /** 0: there was no answer. */
  readonly status: number;
  readonly down: readonly string[];
}

/** An answer other than 2xx, as often as it came. */
export interface Refusal {
  readonly status: number;
  readonly retryAfter: boolean;
  readonly body: string;
  count: number;
}

/** One fault, from its beginning until its traces were gone. */
export interface Episode {
  /** As it was asked for; `none` for a time without one. */
  readonly fault: string;
  /** What was away as a whole; absent where it was the app, or connections alone. */
  readonly away?: Server;
  readonly from: number;
  /** All is back. */
  readonly back: number;
  /** Nothing waits in the outbox any more; absent: it still did when patience ended. */
  readonly drained?: number;
}

/** Everything about one run. */
export interface History {
  readonly episodes: readonly Episode[];
  readonly posted: readonly Posted[];
  readonly delivered: Readonly<Record<Broker, readonly Delivered[]>>;
  readonly letters: readonly Letter[];
  readonly ready: readonly Sighting[];
  readonly refusals: readonly Refusal[];
  /** Lines of the app's log about errors that nobody caught. */
  readonly uncaught: readonly string[];
}

/** `events/key-1#7`, for maps and messages. */
export function nameOf({ stream, key, n }: Named): string {
  return `${stream}/${key}#${n}`;
}
