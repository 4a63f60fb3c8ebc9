import { PARTITION_COUNT } from "#runtime";
import type { SqlDatabase } from "./database.ts";

/**
 * The number of partitions of a store. One that nobody has opened gets as many as are `asked` for; one that was in use before
 * that could be chosen keeps those it has.
 */
export function choosePartitions(file: SqlDatabase, asked = PARTITION_COUNT): number {
  const read = () => file.get<{ partitions: number }>("select partitions from store_settings")?.partitions;
  const chosen = read();
  if (chosen !== undefined) return chosen;
  return file.write(() => {
    // Epochs count who has held a partition: where none was ever held there is nothing yet that hashes to one.
    file.run(
      `insert into store_settings (one, partitions)
       select 1, case when max(epoch) > 0 then count(*) else ? end from partitions where true on conflict do nothing`,
      asked,
    );
    const partitions = read() ?? PARTITION_COUNT;
    file.run(
      `insert into partitions (id)
       with recursive ids (id) as (select ?1 union all select id + 1 from ids where id + 1 < ?2)
       select id from ids where id < ?2 on conflict do nothing`,
      PARTITION_COUNT,
      partitions,
    );
    return partitions;
  });
}
