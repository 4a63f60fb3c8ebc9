/**
 * Makes new builds of one projection, beside the live one.
 *
 * Owns: the way of a build from empty tables to live. Does not own: feeding (`Projector`).
 *
 * B1 one build of a projection is under way at a time, and one node fills it: the one that holds its lease. When that
 *    node ends, another goes on from the build's positions.
 * B2 a build goes live in this order: filled from the journals; fed by every node; filled once more to the journals' ends;
 *    shown to readers. What a node did not feed was in a journal before the build was fed, so the second filling finds it.
 * B3 readers have the build before until the very transaction that gives them the new one.
 */
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemRandomness } from "../base/randomness.ts";
import type { ProjectionBuild } from "../ports/read-database.ts";
import type { Projector, ProjectorHost } from "./projector.ts";

/** What a builder needs from its node. */
export interface BuilderHost extends ProjectorHost {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How many partitions the store of an actor type has. */
  partitions(type: string): number;
}

const LEASE_MS = 10_000;
/** How often a node looks whether a build was left behind by another one. */
const LOOK_MS = 5_000;
/** Events per partition and transaction: times the partitions, what a crash makes to be done again. */
const PAGE = 50;

export class ProjectionBuilder {
  /** Why the build under way does not go on, while it lasts. */
  failing: string | undefined;
  readonly #projector: Projector;
  readonly #host: BuilderHost;
  #held: ProjectionBuild | undefined;
  #stopped = false;
  /** Whether to look again at once. */
  #woken = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(projector: Projector, host: BuilderHost) {
    this.#projector = projector;
    this.#host = host;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeUp();
    await this.#running;
    // Whoever goes on with the build need not wait for the lease to run out.
    if (this.#held !== undefined) {
      await this.#projector.database.claim(this.#held, this.#host.nodeId, 0).catch(() => undefined);
    }
  }

  /** Begins a build of the newest version this node has; or goes on with the one under way. */
  async rebuild(): Promise<ProjectionBuild> {
    const build = await this.#begin();
    await this.#projector.look();
    this.#wakeUp();
    return build;
  }

  #begin(): Promise<ProjectionBuild> {
    const { database, projection } = this.#projector;
    return database.begin(projection, this.#newest, (source) => this.#host.partitions(source));
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake();
  }

  get #newest(): number {
    return Math.max(...this.#projector.versions.keys());
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped;) {
      this.#woken = false;
      try {
        await this.#step();
        failures = 0;
        this.failing = undefined;
      } catch (error) {
        failures++;
        this.failing = error instanceof Error ? error.message : String(error);
        const { projection } = this.#projector;
        this.#host.log("warn", "projection:build:failed", { projection, failures, error: this.failing });
      }
      if (!this.#stopped)
        await this.#pause(failures === 0 ? LOOK_MS : backoffMs(failures, systemRandomness, 100, LOOK_MS));
    }
  }

  async #step(): Promise<void> {
    const { database, projection, versions } = this.#projector;
    const builds = await this.#projector.look();
    const live = builds.find(({ state }) => state === "live");
    let build = builds.find(({ state }) => state !== "live");
    if (build === undefined && (live === undefined || live.version < this.#newest)) {
      build = await this.#begin();
    }
    // A build of a version that only other nodes have is theirs to fill.
    if (build !== undefined && versions.has(build.version) && (await this.#holds(build))) await this.#build(build);
    await database.sweep(projection);
  }

  async #build(build: ProjectionBuild): Promise<void> {
    const { projection, version } = build;
    const { log } = this.#host;
    log("info", "projection:build:begun", { projection, version, build: build.id });
    if (build.state === "building") {
      await this.#fill(build);
      await this.#projector.database.move(build, "feeding");
    }
    const events = await this.#fill(build); // ProjectionBuilder.B2
    if (this.#stopped) return;
    await this.#projector.database.goLive(build); // ProjectionBuilder.B3
    this.#held = undefined;
    await this.#projector.look();
    log("info", "projection:build:live", { projection, version, build: build.id, events });
  }

  /** Reads every journal to its end, from where the build stands. */
  async #fill(build: ProjectionBuild): Promise<number> {
    let events = 0;
    for (const source of this.#projector.versions.get(build.version)?.sources ?? []) {
      let open = await this.#projector.database.positions(build, source);
      while (open.length > 0 && !this.#stopped) {
        if (!(await this.#holds(build))) throw new Error("another node has taken the build over");
        const records = await this.#host.history(source, open, PAGE);
        if (records.length === 0) break;
        await this.#projector.fill(build, records);
        events += records.length;
        const last = new Map<number, { after: number; count: number }>();
        for (const { partition, seq } of records) {
          last.set(partition, { after: seq, count: (last.get(partition)?.count ?? 0) + 1 });
        }
        open = [...last].flatMap(([partition, { after, count }]) => (count < PAGE ? [] : [{ partition, after }]));
      }
    }
    return events;
  }

  async #holds(build: ProjectionBuild): Promise<boolean> {
    const holds = await this.#projector.database.claim(build, this.#host.nodeId, LEASE_MS);
    this.#held = holds ? build : undefined;
    return holds;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#host.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (this.#woken) this.#wake();
    });
  }
}
