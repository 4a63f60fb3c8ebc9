import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import * as v from "valibot";
import { actor, createTroupe } from "#runtime";
import { testDatabase } from "../stack/for-tests.ts";
import { migrate } from "./migrate.ts";
import { postgresStore } from "./store.ts";

setDefaultTimeout(120_000);

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command }) => ({ add: command({ out: v.number() }, (c) => ++c.state.count) }),
});

test("a role that may change no table starts a store in which nothing is to be migrated", async () => {
  await using database = await testDatabase("migrate");
  await migrate(database.url);
  const admin = postgres(database.url, { max: 1, onnotice: () => undefined });
  const role = `plain_${Date.now()}`;
  const name = new URL(database.url).pathname.slice(1);
  try {
    await admin.unsafe(`create role ${role} login password 'plain' nosuperuser nocreatedb`);
    await admin.unsafe(`grant connect on database "${name}" to ${role}`);
    await admin.unsafe(`grant usage on schema public to ${role}`);
    await admin.unsafe(`grant select, insert, update, delete on all tables in schema public to ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = "plain";
    await using troupe = await createTroupe({ actors: [Counter], stores: { default: postgresStore(url.href) } });
    expect(await troupe.ref(Counter, "a").add()).toBe(1);
  } finally {
    await admin.unsafe(`drop owned by ${role}`).catch(() => undefined);
    await admin.unsafe(`drop role if exists ${role}`).catch(() => undefined);
    await admin.end();
  }
});

test("several that migrate a database at once all end, where a file makes an index beside them", async () => {
  await using database = await testDatabase("migrate_twins");
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  try {
    await writeFile(join(directory, "9001_table.sql"), "create table twins (name text);\n");
    await writeFile(
      join(directory, "9002_index.sql"),
      "-- no transaction\ndrop index concurrently if exists twins_name;\ncreate index concurrently twins_name on twins (name);\n",
    );
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url, directory)));
    expect(applied.flat()).toEqual(["9001_table.sql", "9002_index.sql"]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a migration of a large table beside a long transaction holds up no commit for longer than its lock timeout", async () => {
  await using database = await testDatabase("migrate_load");
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: postgresStore(database.url) } });
  const sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  try {
    await sql`insert into actor_states (type, key, version, state)
              select 'counter', 'seed' || i, 1, '{"count":1}' from generate_series(1, 1000000) i`;
    await writeFile(join(directory, "9001_add.sql"), "alter table actor_states add column extra integer;\n");
    await writeFile(
      join(directory, "9002_index.sql"),
      "-- no transaction\ndrop index concurrently if exists extra_index;\ncreate index concurrently extra_index on actor_states (extra);\n",
    );
    let over = false;
    const waits: number[] = [];
    const load = Array.from({ length: 8 }, async (_, i) => {
      while (!over) {
        const since = performance.now();
        await troupe.ref(Counter, `k${i}`).add();
        waits.push(performance.now() - since);
      }
    });
    // A reader that keeps its lock for a while: a migration that waited for it would hold up all commits behind it.
    const reader = sql.begin(async (tx) => {
      await tx`select count(*) from actor_states where key = 'seed1'`;
      await Bun.sleep(1_500);
    });
    await Bun.sleep(100);
    const applied = await migrate(database.url, directory);
    await reader;
    over = true;
    await Promise.all(load);
    expect(applied).toEqual(["9001_add.sql", "9002_index.sql"]);
    expect(await migrate(database.url, directory)).toEqual([]);
    const sorted = waits.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? 0;
    // The lock timeout, and what a commit takes on a machine that builds an index of a million rows beside it.
    expect(sorted.at(-1) ?? 0).toBeLessThan(100 + Math.max(400, median * 20));
  } finally {
    await sql.end();
    await rm(directory, { recursive: true });
  }
});
