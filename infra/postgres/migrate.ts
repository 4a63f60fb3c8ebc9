import { join } from "node:path";
import postgres from "postgres";
import { readMigrations } from "../migrations.ts";
import type { Sql } from "./pool.ts";
import { readSsl } from "./ssl.ts";

/** Any number: every migrating process takes the same one. */
const LOCK = 7_418_211;

const DIRECTORY = join(import.meta.dirname, "migrations");

/**
 * Creates the database of a store where it is missing, and applies the SQL files of `migrations/` that it has not seen,
 * in order of their names, each in a transaction, all under a lock: processes that start together do not collide.
 *
 * @returns the names of the files applied.
 * @throws when the server cannot be reached, or a file fails; what was applied before stays.
 */
export async function migrate(url: string): Promise<readonly string[]> {
  await createDatabase(url);
  const server = readSsl(url);
  const sql = postgres(server.url, { ssl: server.ssl, max: 1, connect_timeout: 5, onnotice: () => undefined });
  try {
    return await applyPending(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function applyPending(sql: Sql): Promise<readonly string[]> {
  const migrations = await readMigrations(DIRECTORY);
  await sql`select pg_advisory_lock(${LOCK})`;
  try {
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`;
    const applied = new Set((await sql<{ name: string }[]>`select name from migrations`).map((row) => row.name));
    const pending = migrations.filter(({ name }) => !applied.has(name));
    for (const { name, text } of pending) {
      await sql.begin(async (tx) => {
        await tx.unsafe(text);
        await tx`insert into migrations (name) values (${name})`;
      });
    }
    return pending.map(({ name }) => name);
  } finally {
    await sql`select pg_advisory_unlock(${LOCK})`;
  }
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
  const server = readSsl(maintenance.href);
  const sql = postgres(server.url, { ssl: server.ssl, max: 1, connect_timeout: 5, onnotice: () => undefined });
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
