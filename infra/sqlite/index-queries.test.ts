import { expect, test } from "bun:test";
import type { IndexCondition } from "#runtime";
import { SqliteFile } from "./file.ts";
import { keysStatement } from "./index-queries.ts";
import { migrate } from "./migrate.ts";
import { temporaryFile } from "./temporary-file.fixture.ts";

const ACTORS = 100_000;

/** Items of which 20 each have the same `onHand`, with a `status` that most of them share. */
function fill(file: SqliteFile): void {
  const numbers = `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${ACTORS})`;
  file.write(() => {
    file.run(`${numbers} insert into actor_states (type, key, version, state) select 'item', 'k' || i, 1, '{}' from n`);
    file.run(`${numbers} insert into actor_index (type, key, field, value, partition)
      select 'item', 'k' || i, 'onHand', printf('2%016x', i / 20), i % 64 from n`);
    file.run(`${numbers} insert into actor_index (type, key, field, value, partition)
      select 'item', 'k' || i, 'status', case when i % 1000 = 0 then '3rare' else '3active' end, i % 64 from n`);
  });
}

test("a query of 100,000 indexed actors reads the index, not the table", async () => {
  await using temporary = await temporaryFile();
  const file = new SqliteFile(temporary.path, 100);
  await migrate(file);
  fill(file);
  const hex = (value: number): string => `2${value.toString(16).padStart(16, "0")}`;
  const equal: IndexCondition = { field: "onHand", values: [hex(7)] };
  const range: IndexCondition = { field: "onHand", from: hex(10), before: hex(12) };
  const wide: IndexCondition = { field: "onHand", from: "2", before: "3" };
  const common: IndexCondition = { field: "status", values: ["3active"] };
  const rare: IndexCondition = { field: "status", values: ["3rare"] };
  const covering = "COVERING INDEX actor_index_values (type=? AND field=? AND value";
  const keys = "INDEX actor_index_keys (type=? AND key>?)";
  for (const [conditions, count, lead] of [
    [[equal], 20, covering],
    [[range], 40, covering],
    [[rare], 50, covering],
    [[common], 50, covering],
    [[wide], 50, keys],
    [[wide, common], 50, keys],
    [[equal, common], 20, covering],
    [[common, equal], 20, covering],
    [[wide, rare], 50, covering],
  ] as const) {
    const { text, values } = keysStatement(file, { type: "item", fields: [], conditions, limit: 50, after: undefined });
    const plan = file.all<{ detail: string }>(`explain query plan ${text}`, ...values).map(({ detail }) => detail);
    expect([conditions, plan[0]?.startsWith(`SEARCH i0 USING ${lead}`)]).toEqual([conditions, true]);
    expect(plan.filter((line) => line.startsWith("SCAN i"))).toEqual([]);
    expect([conditions, file.all(text, ...values).length]).toEqual([conditions, count]);
  }
  file.close();
});
