/**
 * One point in time of several databases.
 *
 * Every commit of the runtime changes a row of `partitions`. While a lock on that table is held in every database, nothing
 * is committed anywhere; the snapshots that are taken meanwhile show one point, also of what one service told another. The
 * locks are let go before a row is read: callers notice a pause of milliseconds.
 */
import postgres from "postgres";
import { pause } from "#infra/base/pause.ts";
import { readSsl } from "#infra/postgres/ssl.ts";

const LOCK_TIMEOUT_MS = 1_000;
const TRIES = 30;
const AGAIN_MS = 200;

/** One database as it stood. */
export interface Snapshot {
  readonly service: string;
  /** One connection, in a transaction that sees the point in time. */
  readonly sql: postgres.Sql;
}

/** Snapshots of one point in time. */
export interface StillPoint extends AsyncDisposable {
  readonly at: Date;
  readonly snapshots: readonly Snapshot[];
}

/**
 * Takes the snapshots. They last until the point is disposed of.
 * @throws when the locks cannot be had, as somebody holds a transaction open: then nothing was held up for longer than a
 * second at a time.
 */
export async function stillPoint(databases: ReadonlyMap<string, string>): Promise<StillPoint> {
  for (let left = TRIES; ; left--) {
    try {
      return await tryOnce(databases);
    } catch (error) {
      if (left === 0 || !isLockTimeout(error)) throw error;
      await pause(AGAIN_MS);
    }
  }
}

async function tryOnce(databases: ReadonlyMap<string, string>): Promise<StillPoint> {
  const locks: postgres.Sql[] = [];
  const snapshots: Snapshot[] = [];
  const closeSnapshots = (): Promise<void> => closeAll(snapshots.map(({ sql }) => sql));
  try {
    // Connected before a lock is held: only what is quick comes between.
    for (const [service, address] of databases) {
      locks.push(await connected(address));
      snapshots.push({ service, sql: await connected(address) });
    }
    for (const lock of locks) {
      await lock.unsafe("begin");
      await lock.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await lock.unsafe("lock table public.partitions in exclusive mode");
    }
    const at = new Date();
    for (const { sql } of snapshots) {
      await sql.unsafe("begin isolation level repeatable read read only");
      await sql.unsafe("select 1 from public.migrations"); // the snapshot is taken with the first query
    }
    return { at, snapshots, [Symbol.asyncDispose]: closeSnapshots };
  } catch (error) {
    await closeSnapshots();
    throw error;
  } finally {
    await closeAll(locks);
  }
}

/** A single connection: what is said to it by hand, as `begin`, is said to the same session. */
async function connected(address: string): Promise<postgres.Sql> {
  const { url, ssl } = readSsl(address);
  const sql = postgres(url, { ssl, max: 1, fetch_types: false, onnotice: () => undefined });
  await sql.unsafe("select 1");
  return sql;
}

/** Ends sessions, and their transactions and locks with them. */
async function closeAll(list: readonly postgres.Sql[]): Promise<void> {
  await Promise.allSettled(list.map((sql) => sql.unsafe("rollback")));
  await Promise.allSettled(list.map((sql) => sql.end({ timeout: 2 })));
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "55P03";
}
