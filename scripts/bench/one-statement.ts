import type postgres from "postgres";
import { uuidv7 } from "#runtime";

/** One message as it is written by hand: who it is for, the state after it, and its event. */
export interface HandWritten {
  readonly type: string;
  readonly key: string;
  readonly state: unknown;
  readonly event: string;
  readonly data: unknown;
}

/** The tables of the baselines: what a service without an actor runtime would have. */
export async function createTables(sql: postgres.Sql): Promise<void> {
  await sql`create table states (type text, key text, version bigint not null, state json not null, primary key (type, key)) with (fillfactor = 70)`;
  await sql`create table events (seq bigserial primary key, id text not null, name text not null, type text not null, key text not null, body text not null, at_ms bigint not null)`;
}

/** Writes state and event in one statement, and so in one transaction. Returns the state's version. */
export async function writeOnce(
  sql: postgres.Sql,
  { type, key, state, event, data }: HandWritten,
): Promise<number | undefined> {
  const rows = await sql<{ version: string }[]>`
    with s as (
      insert into states values (${type}, ${key}, 1, ${JSON.stringify(state)}::json)
      on conflict (type, key) do update set version = states.version + 1, state = excluded.state returning version
    ), e as (
      insert into events (id, name, type, key, body, at_ms)
      select ${`evt_${uuidv7()}`}, ${event}, ${type}, ${key}, ${JSON.stringify(data)}, ${Date.now()}::bigint from s
    )
    select version from s`;
  return rows[0] === undefined ? undefined : Number(rows[0].version);
}
