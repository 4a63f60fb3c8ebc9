import type { Log, Source, SourceConsumer, SourceSubscription } from "#runtime";
/**
 * The source `redis`: a consumer group per consumer, on the streams of its event types.
 *
 * R1 What is pending is claimed (`XAUTOCLAIM`) before anything new is read: it is older, and the order of a key holds.
 *    As one node consumes at a time, whoever does may claim all of it, however fresh.
 * R2 The blocking read has a client of its own, and is not trusted to end: when it is silent for longer than it asked to
 *    be, its client is thrown away.
 * R3 A group that is gone is made anew at the beginning of its stream: what comes twice carries the same id.
 * R4 A key that cannot be read as a stream (another type, a user who may not) is left out, and looked at again now and then:
 *    the others go on.
 */
import { within } from "../base/deadline.ts";
import { InFlight } from "../base/in-flight.ts";
import { pause } from "../base/pause.ts";
import { Redial } from "../base/redial.ts";
import type { ClientTls } from "../base/tls.ts";
import { untilAborted } from "../base/until-aborted.ts";
import { newClient, type RedisClient } from "./client.ts";
import { RedisUnavailableError } from "./errors.ts";
import { pingRedis } from "./ping.ts";
import { isAnswer } from "./refusal.ts";
import { RedisSession } from "./session.ts";
import { eventStream } from "./streams.ts";

/** What `redisSource` is given. */
export interface RedisSourceOptions {
  readonly url: string;
  /** Certificates for `rediss://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls;
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
/** How often a key that could not be read is looked at again. */
const LOOK_AGAIN_MS = 2_000;

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
    check: () => pingRedis(options.url, 2_000, options.tls),
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
  /** Streams that cannot be read, and why (RedisSource.R4). */
  readonly #unusable = new Map<string, string>();

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
    const usable = this.#streams.filter((stream) => !this.#unusable.has(stream));
    const waiting = await Promise.all(usable.map((stream) => this.#lagOf(stream)));
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
    const { url, tls, log } = this.#options;
    const streams = await this.#makeGroups(this.#streams);
    const unusable = this.#streams.filter((stream) => !streams.includes(stream));
    if (streams.length === 0)
      throw new RedisUnavailableError(
        `Cannot read ${this.#streams.join(", ")}: ${[...this.#unusable.values()].join(", ")}`,
      );
    const ended = new AbortController();
    const name = `troupe-${this.#subscription.consumer}-reads`;
    const client = newClient({ url, tls, name, log, connectTimeoutMs: this.#deadlineMs });
    const aborted = untilAborted(over);
    try {
      await client.connect();
      const reading = this.#claim(client, streams, over).then(() => this.#read(client, streams, over, up));
      reading.catch(() => undefined);
      await Promise.race([reading, aborted, this.#usableAgain(unusable, AbortSignal.any([over, ended.signal]))]);
    } finally {
      ended.abort();
      client.destroy();
    }
  }

  /** Resolves with the streams that have their group now (RedisSource.R4). @throws {RedisUnavailableError} the server is away. */
  async #makeGroups(streams: readonly string[]): Promise<readonly string[]> {
    const { consumer } = this.#subscription;
    const usable: string[] = [];
    for (const stream of streams) {
      try {
        await this.#commands.use(`make the group of ${stream}`, (client) =>
          client.xGroupCreate(stream, consumer, "0", { MKSTREAM: true }),
        );
      } catch (error) {
        if (!isAnswer(error)) throw error;
        if (!error.message.startsWith("BUSYGROUP")) {
          this.#tell(stream, error.message);
          continue;
        }
      }
      this.#tell(stream, undefined);
      usable.push(stream);
    }
    return usable;
  }

  #tell(stream: string, reason: string | undefined): void {
    if (this.#unusable.get(stream) === reason) return;
    const { log } = this.#options;
    const { consumer } = this.#subscription;
    if (reason === undefined) log("info", "redis:stream:usable", { stream, consumer });
    else log("warn", "redis:stream:unusable", { stream, consumer, reason });
    if (reason === undefined) this.#unusable.delete(stream);
    else this.#unusable.set(stream, reason);
  }

  /** Resolves when one of the streams can be read after all (RedisSource.R4). */
  async #usableAgain(streams: readonly string[], over: AbortSignal): Promise<void> {
    while (streams.length > 0) {
      await pause(LOOK_AGAIN_MS, over);
      if (over.aborted || (await this.#makeGroups(streams)).length > 0) return;
    }
    return new Promise(() => undefined);
  }

  /** RedisSource.R1 */
  async #claim(client: RedisClient, streams: readonly string[], over: AbortSignal): Promise<void> {
    const { consumer, maxInFlight } = this.#subscription;
    for (const stream of streams) {
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

  async #read(client: RedisClient, names: readonly string[], over: AbortSignal, up: () => void): Promise<void> {
    const { consumer, maxInFlight } = this.#subscription;
    const { blockMs = 2_000 } = this.#options;
    const streams = names.map((key) => ({ key, id: ">" }));
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

  /** RedisSource.R2 */
  #inTime<T>(ms: number, run: () => Promise<T>): Promise<T> {
    const text = `Cannot read the streams of ${this.#subscription.consumer}: no answer within ${ms} ms`;
    return within(ms, run(), () => new RedisUnavailableError(text));
  }
}
