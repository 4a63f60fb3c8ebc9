import { expect, test } from "bun:test";
import { everyStatement, NODE } from "../testing/every-statement.ts";
import type { SqlDatabase, Value } from "./database.ts";
import { SqliteFile } from "./file.ts";
import { migrate } from "./migrate.ts";
import { SqlStore } from "./sql-store.ts";
import { temporaryFile } from "./temporary-file.fixture.ts";

/** Tables without a bound on their rows, and what they are called in statements. */
const GROWING = /^(actor_states|replies|outbox|o|timers|t|actor_index|i\d?|journal|j|dead_letters)\b/;

/** A database that remembers each statement, with values it was run with. */
function remembering(file: SqlDatabase, seen: Map<string, readonly Value[]>): SqlDatabase {
  const note = (text: string, values: readonly Value[]): void => void seen.set(text, values);
  return {
    all: (text, ...values) => (note(text, values), file.all(text, ...values)),
    get: (text, ...values) => (note(text, values), file.get(text, ...values)),
    run: (text, ...values) => (note(text, values), file.run(text, ...values)),
    script: (text) => file.script(text),
    write: (work) => file.write(work),
    read: (work) => file.read(work),
    close: () => file.close(),
  };
}

test("no statement of the SQLite store scans a table that grows", async () => {
  await using temporary = await temporaryFile();
  const seen = new Map<string, readonly Value[]>();
  const file = new SqliteFile(temporary.path, 1_000);
  await migrate(file);
  const store = new SqlStore("plans", async () => remembering(file, seen));
  await store.open();
  await store.heartbeat(NODE, 600_000);
  await store.acquire(NODE);
  for (let time = 0; time < 2; time++) await everyStatement(store, time, 50_000);

  const plans = [...seen].flatMap(([text, values]) =>
    file.all<{ detail: string }>(`explain query plan ${text}`, ...values).map(({ detail }) => ({ text, detail })),
  );
  const growing = plans.filter(({ detail }) => GROWING.test(detail.replace(/^(SCAN|SEARCH) /, "")));
  expect(growing.length).toBeGreaterThan(20);
  expect(growing.filter(({ detail }) => detail.startsWith("SCAN"))).toEqual([]);
  await store.close();
});
