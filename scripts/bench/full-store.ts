import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { type CommitBatch, type Grant, type OutboxRecord } from "#runtime";

const NODE = "bench-fill";
const SINK = "bench-fill";
const EVENTS_PER_COMMIT = 2_000;

/**
 * Makes a new database look like one that has served for long: so many actors of type `account`, keys `k0` and on, and
 * so many events that were relayed and pruned. Vacuumed, as it would be by then.
 */
export async function fillStore(
  url: string,
  counts: { readonly actors: number; readonly prunedEvents: number },
): Promise<void> {
  const store = postgresStore(url);
  await store.open();
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const state = JSON.stringify({ count: 1, owner: "somebody", items: ["a", "b"] });
  await sql`
    insert into actor_states (type, key, version, state)
    select 'account', 'k' || i, 1, ${state} from generate_series(0, ${counts.actors - 1}::int) i`;
  await store.heartbeat(NODE, 600_000);
  const grants = await store.acquire(NODE);
  const lastSeqs = new Map(grants.map(({ partition }) => [partition, 0]));
  for (let written = 0; written < counts.prunedEvents; written += EVENTS_PER_COMMIT) {
    await store.commit(NODE, eventBatch(grants, lastSeqs, Math.min(EVENTS_PER_COMMIT, counts.prunedEvents - written)));
  }
  const cursors = [...lastSeqs].map(([partition, seq]) => ({ sink: SINK, partition, seq }));
  await store.saveCursors(cursors);
  await store.registerSinks([{ name: SINK, kind: "event" }], Date.now());
  let pruned = 0;
  for (let more = 1; more > 0; pruned += more) {
    more = await store.pruneOutbox([...lastSeqs.keys()], Date.now() + 1, 10_000);
  }
  if (pruned !== counts.prunedEvents) throw new Error(`Pruned ${pruned} events of ${counts.prunedEvents}`);
  await store.release(NODE, grants);
  await store.close();
  await sql`vacuum analyze`;
  await sql`checkpoint`;
  await sql.end();
}

function eventBatch(grants: readonly Grant[], lastSeqs: Map<number, number>, count: number): CommitBatch {
  const outbox: OutboxRecord[] = [];
  for (let i = 0; i < count; i++) {
    const partition = grants[i % grants.length]?.partition ?? 0;
    const seq = (lastSeqs.get(partition) ?? 0) + 1;
    lastSeqs.set(partition, seq);
    const actor = { type: "account", key: `k${i}` };
    const carried = { id: `evt_${partition}_${seq}`, name: "account.incremented.v1", actor, target: actor.key };
    outbox.push({
      ...carried,
      partition,
      seq,
      kind: "event",
      body: '{"by":1}',
      at: Date.now(),
      traceparent: undefined,
    });
  }
  const fences = grants.map(({ partition, epoch }) => ({ partition, epoch, lastSeq: lastSeqs.get(partition) ?? 0 }));
  return { fences, outbox, states: [], replies: [], timers: [], index: [] };
}
