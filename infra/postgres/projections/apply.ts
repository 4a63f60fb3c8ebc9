import postgres from "postgres";
import { type ApplyOptions, type Gap, type OutboxRecord, type ProjectionBuild, ProjectionError } from "#runtime";
import { arrayLiteral } from "../array-literal.ts";
import { isOutcomeUnknown, type Sql } from "../pool.ts";
import { transaction } from "../transaction.ts";
import type { Projection } from "./projection.ts";

interface Place {
  readonly source: string;
  readonly partition: number;
  seq: number;
}

/**
 * Applies records to a build: what they do to its tables and how far it has got are one transaction, and the positions
 * are locked first, so that two nodes with the same record apply it once.
 */
export function applyTo(
  sql: Sql,
  build: ProjectionBuild,
  projection: Projection,
  records: readonly OutboxRecord[],
  { known, skip }: ApplyOptions,
): Promise<readonly Gap[]> {
  return transaction(sql, async (tx): Promise<readonly Gap[]> => {
    const wanted = placesOf(records);
    const sources = arrayLiteral(wanted.map(({ source }) => source));
    const partitions = arrayLiteral(wanted.map(({ partition }) => partition));
    // Sent together: the rows are locked in the order the statements stand here, by everyone.
    const [held, places] = await Promise.all([
      tx`
        select set_config('search_path', quote_ident(tables), true) from projections.builds
        where id = ${build.id}::bigint and state <> 'retired' for share`,
      tx<Place[]>`
        select p.source, p.partition, p.seq::float8 as seq
        from projections.positions p
        join unnest(${sources}::text[], ${partitions}::smallint[]) u (source, partition)
          on u.source = p.source and u.partition = p.partition
        where p.build = ${build.id}::bigint order by p.source, p.partition for update of p`,
    ]);
    if (held.length === 0) return [];
    const unknown = places.filter(({ source, partition }) => !known(source, partition));
    if (unknown.length > 0) return unknown.map(({ source, partition, seq }) => ({ source, partition, after: seq }));
    const at = new Map(places.map((place) => [`${place.source}/${place.partition}`, place]));
    const moved = new Set<Place>();
    for (const record of records) {
      const place = at.get(`${record.actor.type}/${record.partition}`);
      if (place === undefined || record.seq <= place.seq) continue;
      if (!skip(record)) await handle(tx, projection, record);
      place.seq = record.seq;
      moved.add(place);
    }
    if (moved.size > 0) await savePositions(tx, build, [...moved]);
    return [];
  });
}

async function handle(tx: postgres.TransactionSql, projection: Projection, record: OutboxRecord): Promise<void> {
  try {
    const done = projection.handle(tx, record);
    // A query of the driver is sent when somebody waits for it: several are, together and in order.
    await (Array.isArray(done) ? Promise.all(done as unknown[]) : done);
  } catch (error) {
    if (isPassing(error)) throw error;
    throw new ProjectionError(projection.name, record, error);
  }
}

async function savePositions(
  tx: postgres.TransactionSql,
  build: ProjectionBuild,
  places: readonly Place[],
): Promise<void> {
  await tx`
    update projections.positions p set seq = u.seq
    from unnest(${arrayLiteral(places.map(({ source }) => source))}::text[],
                ${arrayLiteral(places.map(({ partition }) => partition))}::smallint[],
                ${arrayLiteral(places.map(({ seq }) => seq))}::bigint[]) u (source, partition, seq)
    where p.build = ${build.id}::bigint and p.source = u.source and p.partition = u.partition`;
}

function placesOf(records: readonly OutboxRecord[]): Pick<Place, "source" | "partition">[] {
  const places = new Map<string, Pick<Place, "source" | "partition">>();
  for (const { actor, partition } of records)
    places.set(`${actor.type}/${partition}`, { source: actor.type, partition });
  return [...places.values()];
}

/** Failures that say nothing about the handler: a connection that broke, a deadlock, a server that is short of something. */
function isPassing(error: unknown): boolean {
  return (
    isOutcomeUnknown(error) || (error instanceof postgres.PostgresError && /^(08|40|53|57|55P03)/.test(error.code))
  );
}
