import type { AnyActorType } from "../actor/any-actor.ts";
import { withDeadline } from "../base/deadline.ts";
import type { ProjectionBuild, ProjectionInfo, ReadDatabase } from "../ports/read-database.ts";
import type { Sink } from "../ports/sink.ts";
import { type BuilderHost, ProjectionBuilder } from "./projection-builder.ts";
import { Projector } from "./projector.ts";

/** How a projection stands, as far as this node's partitions go. */
export interface ProjectionStatus {
  readonly name: string;
  /** The version readers see; `undefined` while the first build is under way. */
  readonly version: number | undefined;
  /** The build beside it. */
  readonly building: { readonly version: number; readonly state: "building" | "feeding" } | undefined;
  /** Committed events of this node's partitions that are not in the tables yet. */
  readonly behind: number;
  /** Milliseconds since the oldest of those was emitted; 0 when none waits. */
  readonly oldestMs: number;
  /** What holds it up, while it does: a failing handler stops its partition, a failing build itself. */
  readonly failing: readonly string[];
}

/** The projections of a node: made from its read databases, started and stopped with it. */
export class Projections {
  readonly #databases: readonly ReadDatabase[];
  readonly #host: BuilderHost;
  readonly #byName = new Map<string, { readonly projector: Projector; readonly builder: ProjectionBuilder }>();

  /** @throws {TypeError} when two databases hold projections of one name. */
  constructor(databases: readonly ReadDatabase[], host: BuilderHost) {
    this.#databases = databases;
    this.#host = host;
    for (const database of databases) {
      const versions = new Map<string, ProjectionInfo[]>();
      for (const info of database.projections) versions.set(info.name, [...(versions.get(info.name) ?? []), info]);
      for (const [name, infos] of versions) {
        if (this.#byName.has(name)) throw new TypeError(`Cannot keep the projection "${name}" in two databases`);
        const projector = new Projector(database, infos, host);
        this.#byName.set(name, { projector, builder: new ProjectionBuilder(projector, host) });
      }
    }
  }

  get sinks(): readonly Sink[] {
    return [...this.#byName.values()].map(({ projector }) => projector);
  }

  /** @throws {TypeError} when a source is not registered, or keeps no journal to build from. */
  checkSources(typeOf: (name: string) => AnyActorType | undefined): void {
    for (const { name, sources } of this.#databases.flatMap((database) => database.projections)) {
      for (const source of sources) {
        const type = typeOf(source);
        if (type === undefined)
          throw new TypeError(`Cannot project ${source} into ${name} as it is not among "actors"`);
        if (type.options.journal === undefined) {
          throw new TypeError(`Cannot project ${source} into ${name} as it keeps no journal: set "journal" there`);
        }
      }
    }
  }

  async open(): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.open()));
  }

  /** Begins to look for builds to make. */
  start(): void {
    for (const { builder } of this.#byName.values()) builder.start();
  }

  rebuild(name: string): Promise<ProjectionBuild> {
    return this.#get(name).builder.rebuild();
  }

  async settled(name: string, withinMs: number): Promise<void> {
    const { projector } = this.#get(name);
    await withDeadline(this.#host.clock, withinMs, (deadline) => projector.settled(deadline));
  }

  /** @param waiting how many records wait in each sink of this node. */
  status(waiting: readonly { readonly sink: Sink; readonly pending: number }[]): readonly ProjectionStatus[] {
    return [...this.#byName].map(([name, { projector, builder }]) => {
      const live = projector.builds.find(({ state }) => state === "live");
      const next = projector.builds.find(({ state }) => state !== "live");
      const behind = waiting.reduce((sum, { sink, pending }) => (sink === projector ? sum + pending : sum), 0);
      const { oldestAt } = projector;
      return {
        name,
        version: live?.version,
        building:
          next === undefined || next.state === "live" ? undefined : { version: next.version, state: next.state },
        behind,
        oldestMs: oldestAt === undefined ? 0 : Math.max(0, this.#host.now() - oldestAt),
        failing: [...projector.failing, ...(builder.failing === undefined ? [] : [builder.failing])],
      };
    });
  }

  /** Ends builds under way; they go on from where they are, here or elsewhere. */
  async stop(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(({ builder }) => builder.stop()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.close()));
  }

  #get(name: string): { readonly projector: Projector; readonly builder: ProjectionBuilder } {
    const found = this.#byName.get(name);
    if (found === undefined) throw new TypeError(`Cannot find the projection "${name}" on this node`);
    return found;
  }
}
