import { createClient } from "redis";
/**
 * The source `redis`: a consumer group per consumer, on the streams of its event types.
 *
 * R1 What is pending is claimed (`XAUTOCLAIM`) before anything new is read: it is older, and the order of a key holds.
 *    As one node consumes at a time, whoever does may claim all of it, however fresh.
 * R2 The blocking read has a client of its own, and is not trusted to end: when it is silent for longer than it asked to
 *    be, its client is thrown away.
 * R3 A group that is gone is made anew at the beginning of its stream: what comes twice carries the same id.
 */
import { within } from "#infra/deadline.ts";
import type { Log, Source, SourceConsumer, SourceSubscription } from "#runtime";
import { InFlight } from "../in-flight.ts";
import { Redial } from "../redial.ts";
import { RedisUnavailableError } from "./errors.ts";
import { pingRedis } from "./ping.ts";
import { type RedisClient, RedisSession } from "./session.ts";
import { eventStream } from "./streams.ts";

/** What `redisSource` is given. */
export interface RedisSourceOptions {
  readonly url: string;
  readonly log: Log;
  /** Stands before every stream's name. @default "" */
  readonly streamPrefix?: string;
  /** Milliseconds a read waits for news. @default 2_000 */
  readonly blockMs?: number;
  /** Milliseconds until a command counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

interface Entry {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}

/** One consumer of a group at a time needs one name. */
const CONSUMER = "troupe";

/**
 * Consumes through a consumer group of the consumer's name; streams and groups are made when they are missing.
 *
 * @example
 * ```ts
 * const sources = { default: redisSource({ url: "redis://localhost:6379", log: silentLog }) };
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sources });
 * ```
 */
export function redisSource(options: RedisSourceOptions): Source {
  return {
    name: "redis",
    start: (subscription) => new GroupConsumer(options, subscription),
    check: () => pingRedis(options.url),
  };
}

class GroupConsumer implements SourceConsumer {
  readonly #options: RedisSourceOptions;
  readonly #subscription: SourceSubscription;
  readonly #streams: readonly string[];
  readonly #deadlineMs: number;
  /** By stream and entry id. */
  readonly #inFlight = new InFlight<string>();
  /** For everything but the blocking read. */
  readonly #commands: RedisSession;
  readonly #redial: Redial;
  readonly #reading = new AbortController();

  constructor(options: RedisSourceOptions, subscription: SourceSubscription) {
    this.#options = options;
    this.#subscription = subscription;
    this.#streams = [...new Set(subscription.types.map((type) => eventStream(type, options.streamPrefix)))];
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#commands = new RedisSession({ ...options, name: `troupe-${subscription.consumer}` });
    this.#redial = new Redial({
      what: `redis:${subscription.consumer}`,
      log: options.log,
      session: (over, up) => this.#session(AbortSignal.any([over, this.#reading.signal]), up),
    });
  }

  async lag(): Promise<number> {
    const waiting = await Promise.all(this.#streams.map((stream) => this.#lagOf(stream)));
    return waiting.reduce((sum, count) => sum + count, 0);
  }

  async stop(withinMs: number): Promise<void> {
    this.#reading.abort();
    const reading = this.#redial.stop();
    await this.#inFlight.settled(withinMs);
    this.#commands.close();
    await reading;
  }

  async #session(over: AbortSignal, up: () => void): Promise<void> {
    const { url, log } = this.#options;
    await this.#makeGroups();
    const client = createClient({
      url,
      name: `troupe-${this.#subscription.consumer}-reads`,
      disableOfflineQueue: true,
      socket: { connectTimeout: this.#deadlineMs, reconnectStrategy: false },
    }) as RedisClient;
    client.on("error", (error: Error) => log("debug", "redis:connection:failed", { reason: error.message }));
    const aborted = new Promise<void>((resolve) => over.addEventListener("abort", () => resolve(), { once: true }));
    try {
      await client.connect();
      const reading = this.#claim(client, over).then(() => this.#read(client, over, up));
      reading.catch(() => undefined);
      await Promise.race([reading, aborted]);
    } finally {
      client.destroy();
    }
  }

  async #makeGroups(): Promise<void> {
    const { consumer } = this.#subscription;
    for (const stream of this.#streams) {
      try {
        await this.#commands.use(`make the group of ${stream}`, (client) =>
          client.xGroupCreate(stream, consumer, "0", { MKSTREAM: true }),
        );
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith("BUSYGROUP"))) throw error;
      }
    }
  }

  /** R1 */
  async #claim(client: RedisClient, over: AbortSignal): Promise<void> {
    const { consumer, maxInFlight } = this.#subscription;
    for (const stream of this.#streams) {
      let start = "0-0";
      do {
        await this.#inFlight.below(maxInFlight, over);
        if (over.aborted) return;
        const room = maxInFlight - this.#inFlight.size;
        const from = start;
        const page = await this.#inTime(this.#deadlineMs, () =>
          client.xAutoClaim(stream, consumer, CONSUMER, 0, from, { COUNT: room }),
        );
        start = page.nextId;
        for (const entry of page.messages) if (entry !== null) this.#take(stream, entry);
      } while (start !== "0-0");
    }
  }

  async #read(client: RedisClient, over: AbortSignal, up: () => void): Promise<void> {
    const { consumer, maxInFlight } = this.#subscription;
    const { blockMs = 2_000 } = this.#options;
    const streams = this.#streams.map((key) => ({ key, id: ">" }));
    for (;;) {
      // The count holds for each of the streams.
      await this.#inFlight.below(Math.max(1, maxInFlight - streams.length + 1), over);
      if (over.aborted) return;
      const room = Math.max(1, Math.floor((maxInFlight - this.#inFlight.size) / streams.length));
      const found = await this.#inTime(blockMs + this.#deadlineMs, () =>
        client.xReadGroup(consumer, CONSUMER, streams, { COUNT: room, BLOCK: blockMs }),
      );
      up();
      for (const { name, messages } of (found ?? []) as readonly { name: string; messages: readonly Entry[] }[])
        for (const entry of messages) this.#take(name, entry);
    }
  }

  #take(stream: string, { id, message }: Entry): void {
    const place = `${stream} ${id}`;
    // Claimed again after a break, while it is still under way here.
    if (this.#inFlight.has(place)) return;
    const { types, handle } = this.#subscription;
    const { type = "", event = JSON.stringify(message) } = message;
    // Of another type of the noun; what names none may be anything, and is shown as it is where it has no event.
    const handled = type === "" || types.includes(type) ? handle({ body: event }) : Promise.resolve("taken" as const);
    this.#inFlight.add(place, handled, async (how) => {
      if (how === "taken") await this.#acknowledge(stream, id);
    });
  }

  async #acknowledge(stream: string, id: string): Promise<void> {
    await this.#commands.use("acknowledge an event", (client) => client.xAck(stream, this.#subscription.consumer, id));
  }

  async #lagOf(stream: string): Promise<number> {
    const { consumer } = this.#subscription;
    return this.#commands.use("ask for the lag", async (client) => {
      const groups = await client.xInfoGroups(stream);
      const group = groups.find(({ name }) => name === consumer);
      if (group === undefined) return client.xLen(stream);
      // Redis cannot tell where entries were deleted in between: then they are counted.
      const behind = group.lag as number | null;
      const counted = async (): Promise<number> =>
        (await client.xRange(stream, `(${group["last-delivered-id"]}`, "+", { COUNT: 10_000 }))?.length ?? 0;
      return group.pending + (behind ?? (await counted()));
    });
  }

  /** R2 */
  #inTime<T>(ms: number, run: () => Promise<T>): Promise<T> {
    const text = `Cannot read the streams of ${this.#subscription.consumer}: no answer within ${ms} ms`;
    return within(ms, run(), () => new RedisUnavailableError(text));
  }
}
