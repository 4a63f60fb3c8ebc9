import postgres from "postgres";
import type { Log } from "#runtime";
import { within } from "../base/deadline.ts";
import type { PoolUse } from "./pool-use.ts";
import { readSsl } from "./ssl.ts";

/** The query function of the driver: a tagged template. */
export type Sql = postgres.Sql;

/** A query had no answer within its deadline. It may have taken effect. */
export class QueryDeadlineError extends Error {
  override readonly name = "QueryDeadlineError";
}

const MAX_CONNECTIONS = 6;

export interface PoolOptions {
  /** Connections at most. Default 6. */
  readonly max?: number;
  /** How long a query may take. Default 10,000 ms. */
  readonly deadlineMs?: number;
  readonly log?: Log;
  /** Where it is kept how much of the pool is taken. */
  readonly use?: PoolUse;
  /** For reading alone: names are looked up in this schema, and nothing can be written. */
  readonly reads?: string;
  /** For statements that all have an index for what they look up: see {@link INDEXED_PLANS}. */
  readonly indexed?: boolean;
}

/**
 * A pool of connections in which no query can hang for ever. Every query has a deadline; the first that passes it makes
 * the pool be replaced by a new one, because a driver that lost its connections may never notice (seen after all
 * backends were terminated). Queries on the old pool fail, and their callers decide what that means.
 */
export class Pool {
  readonly #url: string;
  readonly #options: PoolOptions;
  #sql: Sql;
  #closed = false;

  constructor(url: string, options: PoolOptions = {}) {
    this.#url = url;
    this.#options = options;
    if (options.use !== undefined) options.use.max = options.max ?? MAX_CONNECTIONS;
    this.#sql = this.#connect();
  }

  /**
   * Runs a query built by `build`.
   * @throws {QueryDeadlineError} after the deadline; the outcome is unknown.
   * @throws whatever the driver throws.
   */
  async run<T>(build: (sql: Sql) => PromiseLike<T>, deadlineMs = this.#options.deadlineMs ?? 10_000): Promise<T> {
    const sql = this.#sql;
    const { use } = this.#options;
    if (use !== undefined) use.queries++;
    try {
      return await within(deadlineMs, build(sql), () => {
        this.#replace(sql);
        return new QueryDeadlineError(`Cannot wait longer for the database: no answer within ${deadlineMs} ms`);
      });
    } finally {
      if (use !== undefined) use.queries--;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sql.end({ timeout: 2 });
  }

  #replace(hung: Sql): void {
    if (this.#sql !== hung || this.#closed) return;
    this.#options.log?.("warn", "pool:replaced", { reason: "a query passed its deadline" });
    this.#sql = this.#connect();
    // Frees what can be freed; a hung connection must not hold up anyone.
    void hung.end({ timeout: 0 }).catch(() => undefined);
  }

  #connect(): Sql {
    const { reads, indexed } = this.#options;
    const { url, ssl } = readSsl(this.#url);
    return postgres(url, {
      ssl,
      max: this.#options.max ?? MAX_CONNECTIONS,
      connect_timeout: 5,
      // The driver would ask each new connection for its array types, in a promise nobody holds: a backend terminated in
      // that moment is an unhandled rejection. Arrays go out as literals instead (`array-literal.ts`).
      fetch_types: false,
      onnotice: () => undefined,
      connection: {
        application_name: "troupe",
        ...(reads !== undefined && readingOnly(reads)),
        ...(indexed === true && INDEXED_PLANS),
      },
    });
  }
}

/**
 * Plans that are the same on an empty table and on a grown one. The planner takes a table without statistics for a small
 * one, and a statement that was prepared while the table was small keeps its plan: either way it scans a table that has
 * grown since, until somebody analyses it. With these settings it uses the indexes from the first row on.
 */
export const INDEXED_PLANS = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  // Joins in the order of the text: each statement begins with what it was given.
  join_collapse_limit: 1,
  jit: "off",
} as const;

function readingOnly(schema: string): { search_path: string; default_transaction_read_only: boolean } {
  return { search_path: `"${schema}"`, default_transaction_read_only: true };
}

// The server ended the session, or the way to it broke: whether the statement took effect cannot be told from here.
const UNKNOWN = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "57P01",
  "57P02",
  "57P05",
  "ECONNRESET",
  "EPIPE",
  "08006",
  "08003",
  "40003",
]);

// Codes of the operating system, of the driver and of TLS. A code is enough to tell that the database said nothing; what it
// says of a write that was under way cannot be told from it.
const WAY = /^(E[A-Z0-9_]+|CONNECT_TIMEOUT|CONNECTION_\w+)$/;

/** Whether it failed because of the server, or the way to it, and may succeed later as it is. */
export function isDatabaseAway(error: unknown): boolean {
  if (isOutcomeUnknown(error)) return true;
  if (error instanceof postgres.PostgresError) return error.severity !== "ERROR";
  return error instanceof Error && "code" in error && WAY.test(String(error.code));
}

/**
 * Whether the server itself refused a statement that was a transaction of its own: then nothing of it was written. No other
 * failure says so.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.severity === "ERROR" && !/^(08|57P|40003)/.test(error.code);
}

/** Whether a failed write may have happened all the same. */
export function isOutcomeUnknown(error: unknown): boolean {
  if (error instanceof QueryDeadlineError) return true;
  return error instanceof Error && "code" in error && UNKNOWN.has(String(error.code));
}
