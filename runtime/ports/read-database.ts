import type { OutboxRecord } from "./store.ts";

/**
 * The read database port: where projections keep their tables. Implemented by `infra/postgres/projections`.
 *
 * A projection lives in *builds*: one set of tables each, with a position for every source and partition. Readers see the
 * live build. A build beside it is filled from the journals, is fed as well, and then takes the live one's place.
 */
export interface ReadDatabase {
  readonly name: string;
  /** The definitions this process has. Several versions of one projection may be given: each feeds its own builds. */
  readonly projections: readonly ProjectionInfo[];

  /** Creates what is missing, under a lock: several nodes may call it at once. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the database answers. */
  check(): Promise<void>;

  /** The builds of a projection that are not retired. */
  builds(projection: string): Promise<readonly ProjectionBuild[]>;
  /**
   * Begins a build with empty tables, or returns the one that is under way: there is one at a time. `partitions`: how many the
   * store of a source has; records of further ones are none of the build's.
   */
  begin(projection: string, version: number, partitions: (source: string) => number): Promise<ProjectionBuild>;
  /** Takes or renews the duty to fill a build, or with `leaseMs` 0 gives it up. `false`: another node has it. */
  claim(build: ProjectionBuild, node: string, leaseMs: number): Promise<boolean>;
  /** Moves a build that is not live. After `feeding` every node feeds it with what it gets. */
  move(build: ProjectionBuild, to: "building" | "feeding"): Promise<void>;
  /**
   * Gives readers this build instead of the one before, in one transaction.
   * @throws when the build is not `feeding` any more, or readers hold the tables for too long.
   */
  goLive(build: ProjectionBuild): Promise<void>;
  /** Removes the tables of retired builds, as far as nobody uses them. */
  sweep(projection: string): Promise<void>;

  /** How far a build is in a source. */
  positions(build: ProjectionBuild, source: string): Promise<readonly { partition: number; after: number }[]>;
  /**
   * Applies records to a build in one transaction with its positions; those at or below a position are passed over, which
   * makes it exactly once. A partition's records come in sequence order. Does nothing to a retired build.
   * @returns the gaps: places that are not `known`, where the build may lack earlier records. Then nothing was applied.
   * @throws {ProjectionError} a handler failed; nothing was applied.
   * @throws any other error: as a rule nothing was applied, and a repeat is harmless.
   */
  apply(build: ProjectionBuild, records: readonly OutboxRecord[], options: ApplyOptions): Promise<readonly Gap[]>;
}

/** A definition of a projection as the runtime sees it. */
export interface ProjectionInfo {
  readonly name: string;
  readonly version: number;
  /** The actor types it consumes; each keeps a journal. */
  readonly sources: readonly string[];
  /** After so many failures of one event it becomes a dead letter and is passed over. `undefined`: never. */
  readonly deadLetterAfter: number | undefined;
}

/** `building`: filled from the journals. `feeding`: fed by every node as well. `live`: what readers see. */
export interface ProjectionBuild {
  readonly id: number;
  readonly projection: string;
  readonly version: number;
  readonly state: "building" | "feeding" | "live";
}

/** How events are applied to the tables of a build. */
export interface ApplyOptions {
  /** Whether the build has everything of this source and partition up to the records given. */
  known(source: string, partition: number): boolean;
  /** Whether a record is passed over for good. Its position moves all the same. */
  skip(record: OutboxRecord): boolean;
}

/** A place where a build may lack records behind `after`. */
export interface Gap {
  readonly source: string;
  readonly partition: number;
  readonly after: number;
}

/** A handler of a projection failed for this record. */
export class ProjectionError extends Error {
  override readonly name = "ProjectionError";
  readonly record: OutboxRecord;

  constructor(projection: string, record: OutboxRecord, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot apply ${record.name} of ${record.actor.type}/${record.actor.key} to ${projection}: ${why}`, {
      cause,
    });
    this.record = record;
  }
}
