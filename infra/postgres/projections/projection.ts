import type postgres from "postgres";
import type { InferOutput } from "valibot";
import type { AnyActorType, OutboxRecord, ProjectionInfo, Schema } from "#runtime";

/** A transaction of the read database, in which the projection's own tables need no schema in front of their names. */
export type ProjectionSql = postgres.TransactionSql;

/** An event as a handler of a projection gets it. */
export interface ProjectedEvent<Type extends string, Data> {
  readonly id: string;
  readonly type: Type;
  /** The actor that emitted it. */
  readonly actor: { readonly type: string; readonly key: string };
  readonly data: Data;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The names of the events of actor types. */
type EventName<Source extends AnyActorType> = Source extends { readonly options: { readonly emits?: infer Events } }
  ? keyof NonNullable<Events> & string
  : never;

/** The data of one of them. */
type EventData<Source extends AnyActorType, Name extends string> = Source extends {
  readonly options: { readonly emits?: infer Events };
}
  ? Name extends keyof NonNullable<Events>
    ? NonNullable<Events>[Name] extends Schema
      ? InferOutput<NonNullable<Events>[Name]>
      : never
    : never
  : never;

/** What {@link projection} is given. */
export interface ProjectionOptions<Source extends AnyActorType> {
  /** From 1. A higher one than what is live makes a new build beside it, from the journals; then readers move over. */
  readonly version: number;
  /**
   * The SQL that makes the tables of this version and their indexes, run once in an empty schema. Readers find each table
   * under its name until the next version comes: leave out of a new version only what no reader asks for any more.
   */
  readonly tables: string;
  /** The actor types it consumes. Each has to keep a journal. */
  readonly from: readonly Source[];
  /**
   * What each event does to the tables. Events of one actor come in order, each takes effect once. Others are passed over.
   * A handler returns its query, or several as an array, or awaits them: the driver sends none that nobody waits for. It
   * only reads and writes its own tables: it runs again for every build. One that throws stops the partition of
   * its event until it succeeds, or until `deadLetterAfter`.
   */
  readonly on: {
    readonly [Name in EventName<Source>]?: (
      sql: ProjectionSql,
      event: ProjectedEvent<Name, EventData<Source, Name>>,
    ) => unknown;
  };
  /** After so many failures an event becomes a dead letter, and the tables are without it. Default: never. */
  readonly deadLetterAfter?: number;
}

/** A definition made by {@link projection}: pass it to `postgresReadModel`. */
export interface Projection extends ProjectionInfo {
  readonly tables: string;
  /** Applies one event. */
  handle(sql: ProjectionSql, record: OutboxRecord): unknown;
}

const NAME = /^[a-z][a-z0-9_]{0,39}$/;
const TAKEN = /^(pg_.*|public|projections|information_schema|.*_v[0-9]+(_[0-9]+)?)$/;

/**
 * Defines a read model: tables that follow the events of journaled actors, exactly once and in order per actor.
 *
 * @throws {TypeError} when the name is no schema name (lower case, digits and `_`, at most 40), or is taken (`public`,
 * `projections`, `…_v1`); when the version is no whole number from 1.
 *
 * @example
 * ```ts
 * const Account = actor("account", {
 *   state: v.object({ balance: v.number() }),
 *   initial: () => ({ balance: 0 }),
 *   journal: true,
 *   emits: { "account.moved.v1": v.object({ by: v.number() }) },
 *   apply: { "account.moved.v1": (state, { by }) => void (state.balance += by) },
 *   messages: ({ command }) => ({
 *     move: command({ in: v.number() }, (c, by) => c.emit("account.moved.v1", { by })),
 *   }),
 * });
 * const balances = projection("balances", {
 *   version: 1,
 *   tables: "create table balances (account text primary key, balance bigint not null)",
 *   from: [Account],
 *   on: {
 *     "account.moved.v1": (sql, { actor, data }) => sql`
 *       insert into balances as b values (${actor.key}, ${data.by})
 *       on conflict (account) do update set balance = b.balance + excluded.balance`,
 *   },
 * });
 * ```
 */
export function projection<Source extends AnyActorType>(name: string, options: ProjectionOptions<Source>): Projection {
  if (!NAME.test(name) || TAKEN.test(name)) {
    throw new TypeError(
      `Cannot define the projection "${name}": expected lower case, digits and "_", at most 40, and no name that is taken`,
    );
  }
  const { version, tables, from, on, deadLetterAfter } = options;
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new TypeError(`Cannot define version ${version} of the projection ${name}: expected a whole number from 1`);
  }
  const handlers = new Map(Object.entries(on) as [string, (sql: ProjectionSql, event: unknown) => unknown][]);
  return {
    name,
    version,
    tables,
    sources: from.map(({ type }) => type),
    deadLetterAfter,
    handle(sql, { id, name: type, actor, body, at }) {
      return handlers.get(type)?.(sql, { id, type, actor, data: JSON.parse(body) as unknown, at });
    },
  };
}
