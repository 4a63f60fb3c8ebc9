/**
 * The subscriptions of a node: which of them it consumes now.
 *
 * Owns: the consumers that run here. Does not own: what becomes of an event (`Subscriber`), the brokers.
 * Calls in: `start`, `stop`, `status`. Calls out: `Source.start`, the host's `holds`.
 *
 * V1 of all nodes, the one that holds the partition of `type/$subscribe` consumes for that type: one consumer, so that
 *    the order of a key holds from the broker to the actor. With the partition the duty moves, within a lease.
 * V2 a node that has lost the duty lets go at once; what it had in hand comes again at its successor, and the ids make
 *    that harmless.
 */

import type { AnyActorType } from "../actor/any-actor.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { Source, SourceConsumer } from "../ports/source.ts";
import { MAX_IN_FLIGHT, Subscriber, type SubscriberHost } from "./subscriber.ts";

/** What subscriptions need from their node. */
export interface SubscriptionsHost extends Pick<
  SubscriberHost,
  "clock" | "log" | "randomness" | "spans" | "route" | "pause"
> {
  /** Whether this node holds the partition of an actor, in the store its type lives in, under a lease that lasts. */
  holds(type: string, key: string): boolean;
  recordDeadLetter(type: string, letter: Parameters<SubscriberHost["recordDeadLetter"]>[0]): Promise<void>;
}

const LOOK_MS = 200;
/** Looks until the lag is asked for the first time, and between two questions. */
const LAG_FIRST = 5;
const LAG_EVERY = 25;

interface Entry {
  readonly type: AnyActorType;
  readonly source: Source;
  running: { readonly subscriber: Subscriber; readonly consumer: SourceConsumer } | undefined;
  lag: number | undefined;
  skipped: number;
  /** Looks until the lag is asked for. */
  lagIn: number;
  failing: string | undefined;
}

export class Subscriptions {
  readonly #host: SubscriptionsHost;
  readonly #entries: readonly Entry[];
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** A type takes the source of its name, or `default`; one without either waits until it is given one. */
  constructor(types: readonly AnyActorType[], sources: Readonly<Record<string, Source>>, host: SubscriptionsHost) {
    this.#host = host;
    this.#entries = types.flatMap((type) => {
      const source = Object.hasOwn(sources, type.type) ? sources[type.type] : sources["default"];
      if (source === undefined || Object.keys(type.options.subscribe ?? {}).length === 0) return [];
      return [
        {
          type,
          source,
          running: undefined,
          lag: undefined,
          skipped: 0,
          lagIn: LAG_FIRST,
          failing: undefined,
        },
      ];
    });
  }

  start(): void {
    if (this.#entries.length > 0) this.#look();
  }

  status(): readonly SubscriptionStatus[] {
    return this.#entries.map(({ type, source, running, lag, skipped, failing }) => ({
      actor: type.type,
      source: source.name,
      here: running !== undefined,
      inFlight: running?.subscriber.inFlight ?? 0,
      lag,
      skipped,
      failing: running?.subscriber.failing ?? failing,
    }));
  }

  /** Takes no more events, and waits for those under way until `withinMs` have passed. */
  async stop(withinMs: number): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await Promise.all(this.#entries.map((entry) => this.#end(entry, withinMs)));
  }

  #look(): void {
    for (const entry of this.#entries) {
      const mine = this.#host.holds(entry.type.type, "$subscribe"); // Subscriptions.V1
      if (mine && entry.running === undefined) this.#begin(entry);
      else if (!mine && entry.running !== undefined) void this.#end(entry, 0); // Subscriptions.V2
      if (entry.running !== undefined && --entry.lagIn <= 0) void this.#askLag(entry);
    }
    if (!this.#stopped) this.#cancel = this.#host.clock.after(LOOK_MS, () => this.#look());
  }

  #begin(entry: Entry): void {
    const { type, source } = entry;
    const subscriber = new Subscriber(type, source.name, {
      ...this.#host,
      route: (envelope) => this.#host.route(envelope),
      pause: (actor, reason) => this.#host.pause(actor, reason),
      recordDeadLetter: (letter) => this.#host.recordDeadLetter(type.type, letter),
    });
    const consumer = source.start({
      consumer: type.type,
      types: Object.keys(type.options.subscribe ?? {}),
      maxInFlight: MAX_IN_FLIGHT,
      handle: (message) => subscriber.handle(message),
      skipped: (why) => this.#skipped(entry, why),
    });
    entry.running = { subscriber, consumer };
    this.#host.log("info", "subscription:started", { actor: type.type, source: source.name });
  }

  /** Counts each, logs the 1st, 10th, 100th and so on: somebody may delete a million keys. */
  #skipped(entry: Entry, why: string): void {
    const { type, source } = entry;
    const count = ++entry.skipped;
    if (/^10*$/.test(String(count)))
      this.#host.log("warn", "subscription:skipped", { actor: type.type, source: source.name, why, count });
  }

  async #end(entry: Entry, withinMs: number): Promise<void> {
    const { running } = entry;
    if (running === undefined) return;
    entry.running = undefined;
    entry.lag = undefined;
    entry.lagIn = LAG_FIRST;
    entry.failing = undefined;
    running.subscriber.stop();
    await running.consumer.stop(withinMs);
    this.#host.log("info", "subscription:stopped", { actor: entry.type.type, source: entry.source.name });
  }

  async #askLag(entry: Entry): Promise<void> {
    const { running } = entry;
    if (running === undefined) return;
    entry.lagIn = LAG_EVERY;
    try {
      const lag = await running.consumer.lag();
      if (entry.running !== running) return;
      entry.lag = lag;
      entry.failing = undefined;
    } catch (error) {
      if (entry.running !== running) return;
      entry.lag = undefined;
      entry.failing = error instanceof Error ? error.message : String(error);
    }
  }
}
