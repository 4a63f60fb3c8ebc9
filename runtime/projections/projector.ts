/**
 * Keeps one projection up to date with what this node's actors emit: the relay's sink for it.
 *
 * Owns: which batches go into one transaction, and what happens to events whose handler fails. Does not own: order within
 * a partition (the relay), exactly-once (the positions of the read database), new builds (`ProjectionBuilder`).
 * Calls in: the relay's `publish` and `moved`. Calls out: the read database, the host's `history` and `recordDeadLetter`.
 *
 * P1 what waits while a transaction is under way goes into the next one, whatever its partition.
 * P2 a failing handler stops its partition only: a batch that fails is taken apart, and each partition is tried alone.
 * P3 a build is fed in a partition only after it has everything before: a place is `known` once the journal was read to
 *    its end there, and for as long as the partition stays here.
 * P4 a build that is not live yet never holds up the live one: when it fails it is no longer fed, until its builder has
 *    brought it past the failure.
 */

import { type WithResolvers, withResolvers } from "../base/deferred.ts";
import { whenIdleNow } from "../base/event-loop.ts";
import {
  type Gap,
  type ProjectionBuild,
  ProjectionError,
  type ProjectionInfo,
  type ReadDatabase,
} from "../ports/read-database.ts";
import type { PublishResult, Sink } from "../ports/sink.ts";
import type { DeadLetter, OutboxRecord } from "../ports/store.ts";

/** What a projection needs from its node. */
export interface ProjectorHost {
  now(): number;
  /** Journaled events of an actor type behind positions: the store's `readHistory`. */
  history(
    type: string,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]>;
  /** Keeps a dead letter in the store of the event's actor type. */
  recordDeadLetter(type: string, letter: DeadLetter): Promise<void>;
}

/** A batch of one partition, and the promise its publisher waits for. */
interface Waiting extends WithResolvers<void> {
  readonly records: readonly OutboxRecord[];
}

const MAX_TOGETHER = 1_000;
const HISTORY_PAGE = 500;
const ACKED: PublishResult = { kind: "acked" };

export class Projector implements Sink {
  readonly name: string;
  readonly accepts = "event";
  readonly lane = { kind: "partitions", maxBatch: 200 } as const;
  readonly projection: string;
  readonly database: ReadDatabase;
  readonly versions: ReadonlyMap<number, ProjectionInfo>;
  /** The builds as they were when last looked at. */
  builds: readonly ProjectionBuild[] = [];
  readonly #host: ProjectorHost;
  readonly #sources: ReadonlySet<string>;
  readonly #known = new Set<string>();
  /** How often a partition has come or gone. */
  readonly #lives = new Map<number, number>();
  readonly #skipped = new Set<string>();
  readonly #failures = new Map<
    string,
    { readonly tries: number; readonly error: string; readonly record: OutboxRecord }
  >();
  #queue: Waiting[] = [];
  #underWay: readonly Waiting[] = [];
  #isRunning = false;

  constructor(database: ReadDatabase, infos: readonly ProjectionInfo[], host: ProjectorHost) {
    this.projection = infos[0]?.name ?? "";
    this.name = `projection:${this.projection}`;
    this.database = database;
    this.versions = new Map(infos.map((info) => [info.version, info]));
    this.#sources = new Set(infos.flatMap((info) => info.sources));
    this.#host = host;
  }

  /** When the oldest event that waits here was emitted. */
  get oldestAt(): number | undefined {
    let oldest: number | undefined;
    const see = ({ at }: OutboxRecord): void => {
      if (oldest === undefined || at < oldest) oldest = at;
    };
    for (const { records } of [...this.#underWay, ...this.#queue]) records.forEach(see);
    for (const { record } of this.#failures.values()) see(record);
    return oldest;
  }

  /** The last failure of each event that holds up its partition. */
  get failing(): readonly string[] {
    return [...this.#failures.values()].map(({ error }) => error);
  }

  /** Projector.P3: what comes while a partition is elsewhere does not come here. */
  moved(partition: number): void {
    this.#lives.set(partition, this.#lifeOf(partition) + 1);
    for (const place of this.#known) if (place.endsWith(`/${partition}`)) this.#known.delete(place);
    for (const [id, failure] of this.#failures) if (failure.record.partition === partition) this.#failures.delete(id);
  }

  async publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const mine = records.filter((record) => this.#sources.has(record.actor.type));
    if (mine.length > 0) {
      const waiting = { ...withResolvers<void>(), records: mine };
      this.#queue.push(waiting);
      if (!this.#isRunning) void this.#run();
      await waiting.promise;
    }
    return records.map(() => ACKED);
  }

  check(): Promise<void> {
    return this.database.check();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves when what waits here now was applied or has failed, or after `deadline`. */
  async settled(deadline: Promise<unknown>): Promise<void> {
    // Two rounds: what comes meanwhile into the transaction after the one under way may be what the caller means.
    for (let round = 0; round < 2; round++) {
      const waiting = [...this.#underWay, ...this.#queue].map(({ promise }) => promise);
      if (waiting.length > 0) await Promise.race([Promise.allSettled(waiting), deadline]);
      await whenIdleNow(); // publishers that were waiting hand over what they have gathered
    }
  }

  /** Looks which builds there are. */
  async look(): Promise<readonly ProjectionBuild[]> {
    this.builds = await this.database.builds(this.projection);
    return this.builds;
  }

  /** Applies records to a build that has everything before them. Failures are counted; at the limit the event is passed over. */
  async fill(build: ProjectionBuild, records: readonly OutboxRecord[]): Promise<void> {
    for (;;) {
      try {
        await this.#applyHistory(build, records);
        this.#passed(records);
        return;
      } catch (error) {
        if (!(await this.#passOver(build.version, error))) throw error;
      }
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const together = this.#takeNext(); // Projector.P1
      this.#underWay = together;
      try {
        await this.#feed(together.flatMap(({ records }) => records));
        for (const { resolve } of together) resolve();
      } catch (error) {
        if (!(error instanceof ProjectionError)) for (const { reject } of together) reject(error);
        else for (const waiting of together) await this.#feedAlone(waiting); // Projector.P2
      }
      this.#underWay = [];
    }
    this.#isRunning = false;
  }

  #takeNext(): Waiting[] {
    let events = 0;
    const index = this.#queue.findIndex(({ records }) => (events += records.length) > MAX_TOGETHER);
    return this.#queue.splice(0, index < 0 ? this.#queue.length : Math.max(1, index));
  }

  async #feedAlone({ records, resolve, reject }: Waiting): Promise<void> {
    let rest = records;
    for (;;) {
      try {
        await this.#feed(rest);
        resolve();
        return;
      } catch (error) {
        const [failed, left] = await this.#feedBefore(error, rest);
        rest = left;
        try {
          if (await this.#passOver(undefined, failed)) continue;
          reject(failed);
        } catch (later) {
          reject(later);
        }
        return;
      }
    }
  }

  /** Applies what comes before a failure; returns the failure that counts, and what is left to do. */
  async #feedBefore(error: unknown, records: readonly OutboxRecord[]): Promise<[unknown, readonly OutboxRecord[]]> {
    const at = error instanceof ProjectionError ? records.findIndex(({ id }) => id === error.record.id) : -1;
    if (at <= 0) return [error, records];
    try {
      await this.#feed(records.slice(0, at));
      return [error, records.slice(at)];
    } catch (earlier) {
      // Also the very same failure, where the record was met while the journal was read.
      return [earlier, records];
    }
  }

  async #feed(records: readonly OutboxRecord[]): Promise<void> {
    for (const build of await this.look()) {
      const info = this.versions.get(build.version);
      if (info === undefined || build.state === "building") continue;
      const mine = records.filter((record) => info.sources.includes(record.actor.type));
      try {
        await this.#bring(build, mine);
      } catch (error) {
        if (build.state === "live" || !(error instanceof ProjectionError)) throw error;
        await this.database.move(build, "building"); // Projector.P4
        for (const place of this.#known) if (place.startsWith(`${build.id}/`)) this.#known.delete(place);
      }
    }
    this.#passed(records);
  }

  async #bring(build: ProjectionBuild, records: readonly OutboxRecord[]): Promise<void> {
    if (records.length === 0) return;
    const known = (source: string, partition: number): boolean => this.#known.has(`${build.id}/${source}/${partition}`);
    for (;;) {
      const gaps = await this.database.apply(build, records, { known, skip: this.#skip });
      if (gaps.length === 0) return;
      for (const gap of gaps) await this.#close(build, gap);
    }
  }

  /** Reads the journal to its end at one place (Projector.P3). */
  async #close(build: ProjectionBuild, { source, partition, after }: Gap): Promise<void> {
    const life = this.#lifeOf(partition);
    for (let behind = after; ;) {
      const records = await this.#host.history(source, [{ partition, after: behind }], HISTORY_PAGE);
      if (records.length > 0) await this.#applyHistory(build, records);
      if (records.length < HISTORY_PAGE) break;
      behind = records.at(-1)?.seq ?? behind;
    }
    if (life !== this.#lifeOf(partition)) throw new Error(`the partition ${partition} has moved meanwhile`);
    this.#known.add(`${build.id}/${source}/${partition}`);
  }

  /** Applies what was read from a journal; where a handler fails, what comes before it. */
  async #applyHistory(build: ProjectionBuild, records: readonly OutboxRecord[]): Promise<void> {
    const options = { known: () => true, skip: this.#skip };
    try {
      await this.database.apply(build, records, options);
    } catch (error) {
      const at = error instanceof ProjectionError ? records.findIndex(({ id }) => id === error.record.id) : -1;
      if (at > 0) await this.database.apply(build, records.slice(0, at), options);
      throw error;
    }
  }

  #lifeOf(partition: number): number {
    return this.#lives.get(partition) ?? 0;
  }

  readonly #skip = (record: OutboxRecord): boolean => this.#skipped.has(record.id);

  /** Counts a failure. `true`: it was the last one, and the event is passed over from now on. */
  async #passOver(version: number | undefined, error: unknown): Promise<boolean> {
    if (!(error instanceof ProjectionError)) return false;
    const { record } = error;
    const tries = (this.#failures.get(record.id)?.tries ?? 0) + 1;
    this.#failures.set(record.id, { tries, error: error.message, record });
    const of = version ?? this.builds.find(({ state }) => state === "live")?.version ?? 0;
    const limit = this.versions.get(of)?.deadLetterAfter;
    if (limit === undefined || tries < limit) return false;
    await this.#host.recordDeadLetter(record.actor.type, {
      id: `${this.name}:${record.id}`,
      reason: "poison",
      detail: error.message,
      target: this.name,
      attempts: tries,
      record: JSON.stringify(record),
      at: this.#host.now(),
      type: record.name,
      key: `${this.name}:${record.target}`,
    });
    this.#skipped.add(record.id);
    this.#failures.delete(record.id);
    return true;
  }

  #passed(records: readonly OutboxRecord[]): void {
    if (this.#failures.size === 0) return;
    for (const { id } of records) this.#failures.delete(id);
  }
}
