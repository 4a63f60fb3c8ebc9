import type { ProjectionBuild } from "#runtime";
import type { Sql } from "../pool.ts";
import { transaction } from "../transaction.ts";

/** How long the switch waits for readers that hold the old tables; all later readers wait behind it. */
const LOCK_TIMEOUT = "2s";

/**
 * Gives readers another build: the views of the schema that is named after the projection are made anew over its tables,
 * and the builds change their states, in one transaction.
 * @throws when the build is not `feeding`, or readers hold the views for too long; nothing has changed then.
 */
export async function switchTo(sql: Sql, build: ProjectionBuild): Promise<void> {
  await transaction(sql, async (tx) => {
    await tx`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
    // The builds first, as every feeding transaction does: then nobody waits in a circle.
    await tx`select 1 from projections.builds where projection = ${build.projection} and state <> 'retired' order by id for update`;
    await tx`update projections.builds set state = 'retired' where projection = ${build.projection} and state = 'live'`;
    const [now] = await tx<{ tables: string }[]>`
      update projections.builds set state = 'live', live_at = now(), builder = null, lease_until = null
      where id = ${build.id}::bigint and state = 'feeding' returning tables`;
    if (now === undefined) throw new Error(`Cannot show the build ${build.id} of ${build.projection}: it is not fed`);
    await tx.unsafe(`create schema if not exists "${build.projection}"`);
    const views = await tx<{ name: string }[]>`
      select table_name as name from information_schema.views where table_schema = ${build.projection}`;
    for (const { name } of views) await tx`drop view ${tx(build.projection)}.${tx(name)}`;
    const tables = await tx<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = ${now.tables}`;
    for (const { name } of tables) {
      await tx`create view ${tx(build.projection)}.${tx(name)} as select * from ${tx(now.tables)}.${tx(name)}`;
    }
  });
}

/** Drops the tables of retired builds. Those that are still read stay until the next call. */
export async function dropRetired(sql: Sql, projection: string): Promise<void> {
  const retired = await sql<{ id: number; tables: string }[]>`
    select id::float8 as id, tables from projections.builds where projection = ${projection} and state = 'retired'`;
  for (const { id, tables } of retired) {
    await transaction(sql, async (tx) => {
      await tx`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
      await tx`drop schema if exists ${tx(tables)} cascade`;
      await tx`delete from projections.builds where id = ${id}::bigint`;
    }).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "55P03")) throw error;
    });
  }
}
