/** How many partitions a store has: chosen by whoever opens it first, and told to all who open it later. */
import { PARTITION_COUNT } from "#runtime";
import type { Sql } from "./pool.ts";

/**
 * The number of partitions of a store. One that nobody has opened gets as many as are `asked` for; one that was in use before
 * that could be chosen keeps those it has. Of several processes that choose at once one wins, and all are told its number.
 */
export async function choosePartitions(sql: Sql, asked = PARTITION_COUNT): Promise<number> {
  const chosen = await readPartitions(sql);
  if (chosen !== undefined) return chosen;
  // Epochs count who has held a partition: where none was ever held there is nothing yet that hashes to one.
  await sql`
    with chosen as (
      insert into store_settings (partitions)
      select case when max(epoch) > 0 then count(*) else ${asked}::int end from partitions
      on conflict do nothing returning partitions
    )
    insert into partitions (id)
    select generate_series(${PARTITION_COUNT}::int, partitions - 1) from chosen on conflict do nothing`;
  return (await readPartitions(sql)) ?? PARTITION_COUNT;
}

/** How many partitions a store was made with; `undefined` while nobody has opened it. */
export async function readPartitions(sql: Sql): Promise<number | undefined> {
  const [row] = await sql<{ partitions: number }[]>`select partitions from store_settings`;
  return row?.partitions;
}
