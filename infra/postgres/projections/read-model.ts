/**
 * Read models in a Postgres database: the tables of projections, and the way to query them.
 *
 * Owns: schemas and positions. Does not own: which events come, in which order and when (the runtime's `Projector`).
 * Everything is in the one database, beside whatever else lives there:
 * - `projections`: the builds and their positions;
 * - `orders_v1`, `orders_v2`: the tables of each build of `orders`;
 * - `orders`: views over the tables of the live build, which readers use.
 */
import postgres from "postgres";
import {
  type ApplyOptions,
  type Gap,
  type Log,
  type OutboxRecord,
  type ProjectionBuild,
  type ReadDatabase,
  TroupeError,
} from "#runtime";
import { createDatabase } from "../migrate.ts";
import { Pool, type Sql } from "../pool.ts";
import { transaction } from "../transaction.ts";
import { applyTo } from "./apply.ts";
import type { Projection } from "./projection.ts";
import { prepare } from "./schema.ts";
import { dropRetired, switchTo } from "./switch.ts";

/** Options of {@link postgresReadModel}. */
export interface ReadModelOptions {
  /** Several versions of one projection may be given: each keeps its own builds up to date, the highest is the one to reach. */
  readonly projections: readonly Projection[];
  /** How it is called in logs. Default: the database's name. */
  readonly name?: string;
  readonly log?: Log;
  /** Connections at most, for writing and twice again for each projection's readers, as far as they are used. Default 3. */
  readonly max?: number;
}

/** How long a batch of events may take. */
const APPLY_WITHIN_MS = 60_000;
const UNDEFINED_TABLE = "42P01";

/**
 * Makes the read side of projections. Connects to nothing yet; `createTroupe` opens and closes it.
 *
 * @example
 * ```ts
 * declare const balances: Projection; // made by `projection()`
 *
 * const reads = postgresReadModel("postgres://localhost/app", { projections: [balances] });
 * const store = postgresStore("postgres://localhost/app");
 * const node = await createTroupe({ actors: [Counter], stores: { default: store }, projections: [reads] });
 * const rich = await reads.query("balances", (sql) => sql`select account from balances where balance > 1000`);
 * ```
 */
export function postgresReadModel(url: string, options: ReadModelOptions): PostgresReadModel {
  return new PostgresReadModel(url, options);
}

/** The read side of projections in one database. Made by {@link postgresReadModel}. */
export class PostgresReadModel implements ReadDatabase {
  readonly name: string;
  readonly projections: readonly Projection[];
  readonly #url: string;
  readonly #options: ReadModelOptions;
  readonly #pool: Pool;
  readonly #readers = new Map<string, Pool>();
  readonly #indexedReaders = new Map<string, Pool>();

  constructor(url: string, options: ReadModelOptions) {
    this.#url = url;
    this.#options = options;
    this.name = options.name ?? new URL(url).pathname.slice(1);
    this.projections = options.projections;
    this.#pool = new Pool(url, this.#poolOptions());
    for (const { name } of options.projections) {
      if (this.#readers.has(name)) continue;
      this.#readers.set(name, new Pool(url, { ...this.#poolOptions(), reads: name }));
      this.#indexedReaders.set(name, new Pool(url, { ...this.#poolOptions(), reads: name, indexed: true }));
    }
  }

  /**
   * Queries the live build of a projection; its tables are found by their bare names. Nothing can be written.
   *
   * @param options `indexed`: the query has an index for all it looks up, and is to use it whatever the server knows of the tables.
   * Without it a query that was planned while a table was small may scan it until the server analyses it. Default false.
   * @throws {TroupeError} `unavailable` while the first build is under way.
   * @throws {TypeError} when there is no such projection.
   */
  async query<T>(
    projection: string,
    build: (sql: Sql) => PromiseLike<T>,
    { indexed = false }: { readonly indexed?: boolean } = {},
  ): Promise<T> {
    const reader = (indexed ? this.#indexedReaders : this.#readers).get(projection);
    if (reader === undefined)
      throw new TypeError(`Cannot query the projection "${projection}": it is not defined here`);
    try {
      return await reader.run(build);
    } catch (error) {
      if (
        error instanceof postgres.PostgresError &&
        error.code === UNDEFINED_TABLE &&
        !(await this.#isLive(projection))
      ) {
        const text = `Cannot query ${projection} as its first build is under way`;
        throw new TroupeError("unavailable", text, { cause: error });
      }
      throw error;
    }
  }

  async open(): Promise<void> {
    await createDatabase(this.#url);
    await this.#pool.run((sql) => prepare(sql));
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.#pool, ...this.#readers.values(), ...this.#indexedReaders.values()].map((pool) => pool.close()),
    );
  }

  async check(): Promise<void> {
    await this.#pool.run((sql) => sql`select 1`, 2_000);
  }

  builds(projection: string): Promise<readonly ProjectionBuild[]> {
    return this.#pool.run(
      (sql) => sql<ProjectionBuild[]>`
        select id::float8 as id, projection, version, state from projections.builds
        where projection = ${projection} and state <> 'retired' order by id`,
    );
  }

  begin(projection: string, version: number, partitions: (source: string) => number): Promise<ProjectionBuild> {
    const { tables, sources } = this.#definition(projection, version);
    return this.#pool.run((sql) =>
      transaction(sql, async (tx): Promise<ProjectionBuild> => {
        // The name of the tables' schema holds the id only where a build of this version is there already.
        const begun = await tx<{ id: number; tables: string }[]>`
            insert into projections.builds (projection, version, state, tables)
            select ${projection}, ${version}::int, 'building',
                   case when exists (select 1 from projections.builds where tables = ${`${projection}_v${version}`})
                        then ${`${projection}_v${version}_`} || nextval('projections.builds_id_seq') else ${`${projection}_v${version}`} end
            on conflict (projection) where state in ('building', 'feeding') do nothing
            returning id::float8 as id, tables`;
        const own = begun[0];
        if (own === undefined) {
          const [other] = await tx<ProjectionBuild[]>`
              select id::float8 as id, projection, version, state from projections.builds
              where projection = ${projection} and state in ('building', 'feeding')`;
          if (other === undefined) throw new Error(`Cannot begin a build of ${projection}: another has just ended`);
          return other;
        }
        await tx`create schema ${tx(own.tables)}`;
        await tx`select set_config('search_path', ${`"${own.tables}"`}, true)`;
        await tx.unsafe(tables);
        for (const source of sources) {
          await tx`
              insert into projections.positions (build, source, partition)
              select ${own.id}::bigint, ${source}, generate_series(0, ${partitions(source) - 1}::int)`;
        }
        return { id: own.id, projection, version, state: "building" };
      }),
    );
  }

  async claim({ id }: ProjectionBuild, node: string, leaseMs: number): Promise<boolean> {
    const rows = await this.#pool.run(
      (sql) => sql`
        update projections.builds set builder = ${node}, lease_until = now() + ${leaseMs}::int * interval '1 ms'
        where id = ${id}::bigint and state in ('building', 'feeding') and (builder = ${node} or builder is null or lease_until < now())
        returning 1`,
    );
    return rows.length > 0;
  }

  async move({ id }: ProjectionBuild, to: "building" | "feeding"): Promise<void> {
    await this.#pool.run(
      (sql) => sql`
        update projections.builds set state = ${to} where id = ${id}::bigint and state in ('building', 'feeding')`,
    );
  }

  async goLive(build: ProjectionBuild): Promise<void> {
    await this.#pool.run((sql) => switchTo(sql, build));
  }

  async sweep(projection: string): Promise<void> {
    await this.#pool.run((sql) => dropRetired(sql, projection));
  }

  positions({ id }: ProjectionBuild, source: string): Promise<readonly { partition: number; after: number }[]> {
    return this.#pool.run(
      (sql) => sql<{ partition: number; after: number }[]>`
        select partition, seq::float8 as after from projections.positions
        where build = ${id}::bigint and source = ${source} order by partition`,
    );
  }

  apply(build: ProjectionBuild, records: readonly OutboxRecord[], options: ApplyOptions): Promise<readonly Gap[]> {
    const definition = this.#definition(build.projection, build.version);
    return this.#pool.run((sql) => applyTo(sql, build, definition, records, options), APPLY_WITHIN_MS);
  }

  async #isLive(projection: string): Promise<boolean> {
    return (await this.builds(projection)).some(({ state }) => state === "live");
  }

  #definition(name: string, version: number): Projection {
    const found = this.projections.find((candidate) => candidate.name === name && candidate.version === version);
    if (found === undefined) throw new TypeError(`Cannot find version ${version} of the projection "${name}" here`);
    return found;
  }

  #poolOptions(): { max: number; log?: Log } {
    const { log, max = 3 } = this.#options;
    return { max, ...(log && { log }) };
  }
}
