import { join } from "node:path";
import postgres from "postgres";
import type { Migration } from "../base/migration.ts";
import { readMigrations } from "../base/migrations.ts";
import { pause } from "../base/pause.ts";
import type { Sql } from "./pool.ts";
import { readSsl } from "./ssl.ts";

/** Any number: every migrating process takes the same one. */
const LOCK = 7_418_211;

const DIRECTORY = join(import.meta.dirname, "migrations");

/** How long a migration waits for a lock: what comes behind it, the commits of running nodes, waits no longer. */
const LOCK_TIMEOUT_MS = 80;
/** The pause between two tries to get it, and how long they go on. */
const RETRY_MS = 250;
const GIVE_UP_MS = 120_000;
/** The first line of a file that cannot run in a transaction (`create index concurrently`): its statements run one by one. */
const NO_TRANSACTION = "-- no transaction";

/**
 * Applies the SQL files of `migrations/` that a store has not seen, in order of their names, all under a lock: processes that
 * start together do not collide. Creates the database where it is missing. Where there is nothing to apply it only reads: a
 * role that may neither create a database nor change a table is enough then.
 *
 * Nodes may run meanwhile. A file gets its locks at once or gives way to what it would hold up, and is tried again.
 *
 * @returns the names of the files applied.
 * @throws when the server cannot be reached, or a file fails; what was applied before stays.
 */
export async function migrate(url: string, directory = DIRECTORY): Promise<readonly string[]> {
  const migrations = await readMigrations(directory);
  if ((await pendingIn(url, migrations)).length === 0) return [];
  const sql = connect(url);
  try {
    return await applyPending(sql, migrations);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

/** What is left to apply in the database of `url`, which is created where it is missing. */
async function pendingIn(url: string, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const sql = connect(url);
  try {
    return await pending(sql, migrations);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === "3D000")) throw error;
  } finally {
    await sql.end({ timeout: 2 });
  }
  await createDatabase(url);
  return migrations;
}

async function pending(sql: Sql, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const [table] = await sql<{ there: boolean }[]>`select to_regclass('migrations') is not null as there`;
  if (table?.there !== true) return migrations;
  const applied = new Set((await sql<{ name: string }[]>`select name from migrations`).map((row) => row.name));
  return migrations.filter(({ name }) => !applied.has(name));
}

async function applyPending(sql: Sql, migrations: readonly Migration[]): Promise<readonly string[]> {
  await takeLock(sql);
  try {
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`;
    const left = await pending(sql, migrations);
    for (const migration of left) await untilLocked(() => apply(sql, migration));
    return left.map(({ name }) => name);
  } finally {
    await sql`select pg_advisory_unlock(${LOCK})`;
  }
}

/**
 * Waits until nobody else migrates, and says so. It asks again and again: a session that waits within a query holds a snapshot,
 * which a `create index concurrently` of the one ahead would wait for in turn, for ever.
 */
async function takeLock(sql: Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as taken`;
    if (row?.taken === true) return;
    await pause(RETRY_MS);
  }
}

async function apply(sql: Sql, { name, text }: Migration): Promise<void> {
  if (text.startsWith(NO_TRANSACTION)) {
    for (const statement of text.split(/;[ \t]*(?:\n|$)/)) if (statement.trim() !== "") await sql.unsafe(statement);
    await sql`insert into migrations (name) values (${name})`;
    return;
  }
  await sql.begin(async (tx) => {
    await tx.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await tx.unsafe(text);
    await tx`insert into migrations (name) values (${name})`;
  });
}

/** Tries again while somebody else holds what `apply` needs. */
async function untilLocked(apply: () => Promise<void>): Promise<void> {
  for (const until = performance.now() + GIVE_UP_MS; ;) {
    try {
      await apply();
      return;
    } catch (error) {
      // 55P03: a lock was not to be had in time; 40P01: two waited for each other.
      const held = error instanceof postgres.PostgresError && ["55P03", "40P01"].includes(error.code);
      if (!held || performance.now() > until) throw error;
      await pause(RETRY_MS);
    }
  }
}

function connect(url: string): Sql {
  const server = readSsl(url);
  return postgres(server.url, { ssl: server.ssl, max: 1, connect_timeout: 5, onnotice: () => undefined });
}

/** Creates the database of `url` where it is missing. */
export async function createDatabase(url: string): Promise<void> {
  const target = new URL(url);
  const name = decodeURIComponent(target.pathname.slice(1));
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
    throw new TypeError(`Cannot use the database "${name}": expected lower case letters, digits and "_", at most 63`);
  }
  const maintenance = new URL(url);
  maintenance.pathname = "/postgres";
  const sql = connect(maintenance.href);
  try {
    const found = await sql`select 1 from pg_database where datname = ${name}`;
    if (found.length > 0) return;
    // 42P04: another process was faster; 23505: it was faster by less than the check.
    await sql`create database ${sql(name)}`.catch((error: unknown) => {
      if (!(error instanceof postgres.PostgresError && ["42P04", "23505"].includes(error.code))) throw error;
    });
  } finally {
    await sql.end({ timeout: 2 });
  }
}
