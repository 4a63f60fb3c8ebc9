/**
 * Puts a backup into empty databases.
 *
 * T1 Nothing is written over: where an actor or an event is there already, nothing is done.
 * T2 A database is whole or empty: its rows go in within one transaction.
 * T3 Epochs are raised: a process of before, wherever it still runs, can commit nothing.
 * T4 What is kept of the outbox is published again, from its beginning: what brokers and Temporal had taken since is lost
 *    with them, or is repeated under the same ids, by which consumers know a repeat.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import * as v from "valibot";
import { migrate } from "#infra/postgres/migrate.ts";
import { readSsl } from "#infra/postgres/ssl.ts";
import type { Settings } from "../app/settings.ts";
import { namedDatabases } from "./backup.ts";
import { Manifest } from "./manifest.ts";
import { readTable } from "./tables.ts";

/** Far above what nodes that were cut off could have reached meanwhile. */
const EPOCHS = 1_000_000;

/** What a restore did. */
export interface Restored {
  readonly manifest: Manifest;
  /** Rows that were put in. */
  readonly rows: number;
  /** Outbox records that will be published again. */
  readonly again: number;
}

/** A backup cannot be put where it was to go. Nothing was changed. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

/** Reads what a backup says of itself. @throws {RestoreError} when the folder is no whole backup. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  const read = v.safeParse(Manifest, text === undefined ? undefined : JSON.parse(text));
  if (read.success) return read.output;
  throw new RestoreError(`Cannot restore from ${folder} as it is no whole backup: it has no manifest.json that fits`);
}

/** @throws {RestoreError} when a database is not empty, or the backup is newer than this version. */
export async function restore(settings: Settings, folder: string): Promise<Restored> {
  const manifest = await readManifest(folder);
  const databases = namedDatabases(settings);
  for (const url of databases.values()) await migrate(url);
  for (const { service, migrations } of manifest.databases)
    await checkEmpty(databases.get(service), service, migrations);
  let rows = 0;
  let again = 0;
  for (const { service, tables } of manifest.databases) {
    const sql = connect(databases.get(service) ?? "");
    try {
      const done = await sql.begin(async (tx) => await fill(tx, folder, tables));
      rows += done.rows;
      again += done.again;
    } finally {
      await sql.end({ timeout: 5 });
    }
  }
  return { manifest, rows, again };
}

async function fill(
  tx: postgres.TransactionSql,
  folder: string,
  tables: Manifest["databases"][number]["tables"],
): Promise<{ readonly rows: number; readonly again: number }> {
  let rows = 0;
  for (const { name, file, rows: expected } of tables) {
    // Rows that triggers made are in the backup themselves.
    await tx.unsafe(`alter table public."${name}" disable trigger user`);
    await tx.unsafe(`delete from public."${name}"`);
    const put = await readTable(tx, name, join(folder, file));
    await tx.unsafe(`alter table public."${name}" enable trigger user`);
    if (put !== expected)
      throw new RestoreError(`Cannot restore ${name}: ${file} has ${put} rows, the manifest says ${expected}`);
    rows += put;
  }
  await tx.unsafe(
    "select setval(pg_get_serial_sequence('public.dead_letters', 'position'), coalesce(max(position), 0) + 1, false) from dead_letters",
  );
  await tx.unsafe(`update partitions set owner = null, epoch = epoch + ${EPOCHS}`); // Restore.T3
  await tx.unsafe("update cursors set seq = 0"); // Restore.T4
  const [kept] = await tx.unsafe<{ records: number }[]>(
    "select coalesce(sum(count), 0)::float8 as records from outbox",
  );
  return { rows, again: kept?.records ?? 0 };
}

async function checkEmpty(url: string | undefined, service: string, migrations: readonly string[]): Promise<void> {
  if (url === undefined) throw new RestoreError(`Cannot restore ${service} as this version has no such service`);
  const sql = connect(url);
  try {
    const known = new Set((await sql<{ name: string }[]>`select name from migrations`).map(({ name }) => name));
    const newer = migrations.filter((name) => !known.has(name));
    if (newer.length > 0)
      throw new RestoreError(
        `Cannot restore ${service} as the backup is of a newer version: this one does not know ${newer.join(", ")}`,
      );
    const [found] = await sql<{ there: boolean }[]>`
      select exists (select from actor_states) or exists (select from outbox) or exists (select from journal) as there`; // Restore.T1
    if (found?.there === true)
      throw new RestoreError(`Cannot restore ${service} as its database is not empty: drop it, or name another one`);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function connect(address: string): postgres.Sql {
  const { url, ssl } = readSsl(address);
  return postgres(url, { ssl, max: 1, fetch_types: false, onnotice: () => undefined });
}
