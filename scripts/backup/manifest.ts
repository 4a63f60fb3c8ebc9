import * as v from "valibot";

const Table = v.object({ name: v.string(), rows: v.number(), file: v.string() });

/** What a backup says of itself: `manifest.json`. */
export const Manifest = v.object({
  format: v.literal(1),
  /** When every database stood still. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  cluster: v.string(),
  version: v.string(),
  databases: v.array(v.object({ service: v.string(), migrations: v.array(v.string()), tables: v.array(Table) })),
  /** Where each JetStream stream stood, and how far each consumer had got. `null`: there was no NATS to ask. */
  streams: v.nullable(
    v.array(
      v.object({
        name: v.string(),
        firstSeq: v.number(),
        lastSeq: v.number(),
        consumers: v.array(v.object({ name: v.string(), ackFloor: v.number() })),
      }),
    ),
  ),
});
export type Manifest = v.InferOutput<typeof Manifest>;

/** The rows of each table, all databases together: what is counted before and after. */
export function rowsOf({ databases }: Manifest): number {
  return databases.reduce((sum, { tables }) => sum + tables.reduce((of, { rows }) => of + rows, 0), 0);
}
