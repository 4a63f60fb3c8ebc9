import type { Sql } from "../pool.ts";
import { transaction } from "../transaction.ts";

/** Any number but the one of the store's migrations: every process that prepares a read database takes the same one. */
const LOCK = 7_418_212;

/**
 * Creates the tables that keep account of builds, in the schema `projections`. Under a lock: processes that start
 * together do not collide.
 */
export async function prepare(sql: Sql): Promise<void> {
  await transaction(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK}::bigint)`;
    await tx.unsafe(TABLES);
  });
}

const TABLES = `
create schema if not exists projections;

-- One set of tables of a projection, in a schema of its own.
create table if not exists projections.builds (
  id          bigint generated always as identity primary key,
  projection  text not null,
  version     integer not null,
  state       text not null check (state in ('building', 'feeding', 'live', 'retired')),
  tables      text not null unique,
  -- The node that fills it, while it is not live.
  builder     text,
  lease_until timestamptz,
  begun_at    timestamptz not null default now(),
  live_at     timestamptz
);
create unique index if not exists builds_live on projections.builds (projection) where state = 'live';
create unique index if not exists builds_under_way on projections.builds (projection) where state in ('building', 'feeding');

-- How far a build has got, in the outbox numbers of each source and partition: written with what the events did.
create table if not exists projections.positions (
  build       bigint not null references projections.builds (id) on delete cascade,
  source      text collate "C" not null,
  partition   smallint not null,
  seq         bigint not null default 0,
  primary key (build, source, partition)
) with (fillfactor = 20);
`;
