import { type Broker, BROKERS } from "#infra/base/brokers.ts";
import { pause } from "#infra/base/pause.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { Random } from "../random.ts";
import { type Reading, reading } from "./brokers.ts";
import { check, type Violation } from "./checker.ts";
import { type Action, awayIn, OUTAGES, type Outage } from "./faults.ts";
import { type Delivered, type Episode, type History, type Sighting } from "./history.ts";
import { inflict } from "./inflict.ts";
import { eventLines, orderLines, refillLines } from "./lines.ts";
import { Load } from "./load.ts";
import { OwnSystem } from "./system.ts";
import { type DelayRow, delayRows, type FaultRow, faultRows } from "./table.ts";
import { pendingOf, readLetters, watchReady } from "./watch.ts";

/** What {@link outages} is told. */
export interface OutageOptions {
  /** Chooses when the app ends itself and how long Postgres is away. */
  readonly seed: number;
  /** One after the other, in this order. */
  readonly faults: readonly Outage[];
  /** How long a broker is away, in milliseconds. */
  readonly awayMs: number;
  /** Events a second that are posted to the gateway; an eighth as many orders and refills come on top. */
  readonly rate: number;
  /** How often the app ends itself, Postgres stops and its connections are ended. @default 5 */
  readonly repeats?: number;
  /** Subjects that the events are spread over, and so the requests that are under way at most. @default 200 */
  readonly keys?: number;
  /** How long it runs before the first fault, to compare with, in milliseconds. @default awayMs / 3 */
  readonly calmMs?: number;
  /** Further variables of the app. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told how to end all that runs, once there is something: for whoever is interrupted. */
  readonly onStart?: (end: () => Promise<void>) => void;
  /** Told every line of the app's log. */
  readonly onLine?: (line: string) => void;
  /** Told what happens, as it happens. */
  readonly say?: (what: string) => void;
}

/** What came of it. */
export interface OutageVerdict {
  readonly seed: number;
  readonly rows: readonly FaultRow[];
  readonly delays: readonly DelayRow[];
  /** The longest from the first try of a request to its answer, in milliseconds. */
  readonly longestWaitMs: number;
  /** Messages read back from each broker. */
  readonly messages: Readonly<Record<Broker, number>>;
  readonly deadLetters: number;
  /** Answers other than 2xx, by status, with how often they came. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Empty: everything held. */
  readonly violations: readonly Violation[];
}

const SAID_WITHIN_MS = 30_000;
/** Beyond doubt: how fast a backlog goes is for the table, not for the verdict. */
const DRAINED_WITHIN_MS = 900_000;
const ANSWERED_WITHIN_MS = 60_000;
/** Seconds of events that may wait where nothing is wrong: on a busy machine there are always some. */
const USUAL_BACKLOG_S = 5;
/** More than there are lines: older requests are answered. */
const MOST_OPEN = 2_000;
const SIDE_SHARE = 1 / 16;
const SIDE_LINES = 16;
const PADDING = "x".repeat(200);
const BETWEEN_MS = [1_500, 3_000] as const;
/**
 * Runs the app on servers of its own, posts events at a steady rate, and lets one server after the other be away meanwhile;
 * then reads all brokers to the end and holds what is there against what was answered.
 */
export async function outages(options: OutageOptions): Promise<OutageVerdict> {
  const run = new OutageRun(options);
  return run.run();
}

class OutageRun {
  readonly #options: OutageOptions;
  readonly #random: Random;
  readonly #episodes: Episode[] = [];
  readonly #ready: Sighting[] = [];
  readonly #say: (what: string) => void;

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#say = options.say ?? ((): void => undefined);
  }

  async run(): Promise<OutageVerdict> {
    const { rate, keys = 200, environment, onLine } = this.#options;
    this.#say("starting the servers");
    await using system = await OwnSystem.start(environment, onLine);
    this.#options.onStart?.(() => system[Symbol.asyncDispose]());
    await using stack = new AsyncDisposableStack();
    const readings = await Promise.all(
      BROKERS.map(async (broker) => stack.use(await reading(broker, system.server(broker).address))),
    );
    await system.startApp().ready();
    await system.setUp(SIDE_LINES);

    const load = new Load(() => system.address);
    const over = new AbortController();
    const watching = watchReady(system.address, this.#ready, over.signal);
    const side = Math.max(1, rate * SIDE_SHARE);
    const posting = Promise.all([
      load.run(eventLines(keys, PADDING), rate, over.signal, ANSWERED_WITHIN_MS),
      load.run(orderLines(SIDE_LINES), side, over.signal, ANSWERED_WITHIN_MS),
      load.run(refillLines(SIDE_LINES), side, over.signal, ANSWERED_WITHIN_MS),
    ]);
    try {
      await this.#calm();
      for (const fault of this.#options.faults) await this.#suffer(system, load, fault);
    } finally {
      over.abort();
      await Promise.all([posting, watching]);
    }
    await this.#drained(system, 0, BROKERS);
    return await this.#judge(system, load, readings);
  }

  async #judge(system: OwnSystem, load: Load, readings: readonly Reading[]): Promise<OutageVerdict> {
    this.#say("reading the brokers");
    const delivered = {} as Record<Broker, Delivered[]>;
    for (const [i, broker] of BROKERS.entries()) delivered[broker] = (await readings[i]?.readAll()) ?? [];
    const history: History = {
      episodes: this.#episodes,
      posted: load.posted,
      delivered,
      letters: await readLetters(system.address),
      ready: this.#ready,
      refusals: load.refusals,
      uncaught: system.uncaught,
    };
    const violations = check(history);
    const refusals: Record<string, number> = {};
    for (const { status, count } of history.refusals) refusals[status] = (refusals[status] ?? 0) + count;
    return {
      seed: this.#options.seed,
      rows: faultRows(history, violations),
      delays: delayRows(history),
      longestWaitMs: Math.round(load.longestMs),
      messages: Object.fromEntries(BROKERS.map((broker) => [broker, delivered[broker].length])) as Record<
        Broker,
        number
      >,
      deadLetters: history.letters.length,
      refusals,
      violations,
    };
  }

  async #calm(): Promise<void> {
    const from = Date.now();
    await pause(this.#options.calmMs ?? this.#options.awayMs / 3);
    const back = Date.now();
    this.#episodes.push({ fault: "none", from, back, drained: back });
  }

  async #suffer(system: OwnSystem, load: Load, fault: Outage): Promise<void> {
    const action: Action = OUTAGES[fault];
    const times = action.kind === "away" ? 1 : (this.#options.repeats ?? 5);
    for (let i = 0; i < times; i++) {
      const from = Date.now();
      const away = awayIn(action);
      this.#say(fault);
      await inflict(action, {
        system,
        random: this.#random,
        awayMs: this.#options.awayMs,
        named: (server) => this.#sighted(from, ({ down }) => down.includes(server)),
      });
      const back = Date.now();
      this.#say(`${fault}: back after ${((back - from) / 1_000).toFixed(1)} s`);
      await this.#taking(load, back);
      const concerned = action.kind === "away" ? [action.broker] : BROKERS;
      const drained = await this.#drained(system, this.#options.rate * USUAL_BACKLOG_S, concerned);
      this.#say(
        drained === undefined
          ? `${fault}: the backlog stays`
          : `${fault}: drained ${((drained - back) / 1_000).toFixed(1)} s later`,
      );
      if (away !== undefined) await this.#sighted(back, ({ status, down }) => status === 200 && !down.includes(away));
      this.#episodes.push({
        fault,
        from,
        back,
        ...(away === undefined ? {} : { away }),
        ...(drained === undefined ? {} : { drained }),
      });
      await pause(this.#random.whole(...BETWEEN_MS));
    }
  }

  /** Waits until `/ready` has said so; goes on without in the end, and leaves the verdict to the checker. */
  async #sighted(from: number, said: (sighting: Sighting) => boolean): Promise<void> {
    await eventually("/ready says so", SAID_WITHIN_MS, async () =>
      this.#ready.some((sighting) => sighting.at >= from && said(sighting)),
    ).catch(() => undefined);
  }

  /** Waits until an event was accepted after `back`: an outbox is empty, too, while nothing gets in. */
  async #taking(load: Load, back: number): Promise<void> {
    const before = load.posted.length;
    await eventually("events are accepted again", DRAINED_WITHIN_MS, async () =>
      load.posted.slice(Math.max(0, before - MOST_OPEN)).some(({ acceptedAt = 0 }) => acceptedAt > back),
    ).catch(() => undefined);
  }

  /** When no sink of these brokers had more than `most` records waiting; `undefined` when patience ended before. */
  async #drained(system: OwnSystem, most: number, brokers: readonly Broker[]): Promise<number | undefined> {
    return eventually("the outbox is empty", DRAINED_WITHIN_MS, async () => {
      const at = Date.now();
      const pending = await pendingOf(system.address);
      if (pending === undefined) return undefined;
      const waiting = brokers.flatMap((broker) => [pending.get(broker) ?? 0, pending.get(`routed-${broker}`) ?? 0]);
      return waiting.every((count) => count <= most) && at;
    }).catch(() => undefined);
  }
}
