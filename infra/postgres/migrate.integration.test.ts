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

/** Waits for a lock on a table, as the server sees them. */
interface LockWait {
  readonly pid: number;
  readonly mode: string;
  /** For how long by now, by the server's clock. */
  readonly ms: number;
}

/** Looks at who waits for a lock on `actor_states`, over and over, until it is told to end. Answers the longest wait of each mode. */
async function watchLockWaits(sql: postgres.Sql, over: () => boolean): Promise<ReadonlyMap<string, number>> {
  const longest = new Map<string, number>();
  while (!over()) {
    const waits = await sql<LockWait[]>`
      select pid, mode, extract(epoch from clock_timestamp() - waitstart)::float8 * 1000 as ms from pg_locks
      where not granted and waitstart is not null and relation = 'actor_states'::regclass`;
    for (const { mode, ms } of waits) longest.set(mode, Math.max(ms, longest.get(mode) ?? 0));
    await Bun.sleep(5);
  }
  return longest;
}

/** The server ends a wait by its own timer; whoever is looked at in between may be a little over it. */
const MAY_WAIT_MS = 100;
const MACHINE_STOOD_STILL_MS = 300;
const READER_MS = 1_500;

test("a migration of a million rows gives way to commits: none waits for its lock longer than its lock timeout", async () => {
  await using database = await testDatabase("migrate_load");
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: postgresStore(database.url) } });
  const sql = postgres(database.url, { max: 3, onnotice: () => undefined });
  try {
    await sql`insert into actor_states (type, key, version, state)
              select 'counter', 'seed' || i, 1, '{"count":1}' from generate_series(1, 1000000) i`;
    await writeFile(join(directory, "9001_add.sql"), "alter table actor_states add column extra integer;\n");
    await writeFile(
      join(directory, "9002_index.sql"),
      "-- no transaction\ndrop index concurrently if exists extra_index;\ncreate index concurrently extra_index on actor_states (extra);\n",
    );
    let over = false;
    const counts = Array.from({ length: 8 }, async (_, i) => {
      let count = 0;
      while (!over) count = await troupe.ref(Counter, `k${i}`).add();
      return count;
    });
    const watching = watchLockWaits(sql, () => over);
    // A reader that keeps its lock for a while: a migration that waited for it would hold up all commits behind it.
    const reading = Promise.withResolvers<void>();
    const reader = sql.begin(async (tx) => {
      await tx`select count(*) from actor_states where key = 'seed1'`;
      reading.resolve();
      await Bun.sleep(READER_MS);
    });
    await reading.promise;
    const applied = await migrate(database.url, directory);
    await reader;
    over = true;
    const waits = await watching;
    expect(applied).toEqual(["9001_add.sql", "9002_index.sql"]);
    expect(await migrate(database.url, directory)).toEqual([]);
    // The change of the table was in the reader's way, and gave up its place in the queue each time.
    expect(waits.has("AccessExclusiveLock")).toBe(true);
    for (const [mode, ms] of waits) {
      // Taken by an index that is made beside everybody: others pass it.
      if (mode === "ShareUpdateExclusiveLock") continue;
      expect([mode, ms < MAY_WAIT_MS + MACHINE_STOOD_STILL_MS]).toEqual([mode, true]);
    }
    // What would block every write for as long as it takes is never asked for.
    expect([...waits.keys()]).not.toContain("ShareLock");
    for (const count of await Promise.all(counts)) expect(count).toBeGreaterThan(1);
  } finally {
    await sql.end();
    await rm(directory, { recursive: true });
  }
});
