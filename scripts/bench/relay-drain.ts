import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe, type OutboxRecord } from "#runtime";
import { BEAT, Beat, NOTE } from "./beat.ts";
import { type BrokerName, openBrokerSink } from "./broker-sinks.ts";
import { type Measured, summary } from "./measure.ts";
import { createTables } from "./one-statement.ts";
import { Poller } from "./poller.ts";
import { watchedSink } from "./watched-sink.ts";

/** Events that wait when the sink is released. */
export const BACKLOG = 60_000;
/** Drained before, and not counted: it makes the stream or the topic, and the code warm. */
const WARM_UP = 10_000;
const ACTORS = 1_000;
const WRITERS = 16;

/** A backlog in the outbox, from the release of the sink to the last acknowledgement. Times count from the release. */
export async function relayDrain(broker: BrokerName): Promise<Measured> {
  await using database = await testDatabase("bench_drain");
  await using opened = await openBrokerSink(broker);
  const drained = new Drained();
  const sink = watchedSink(opened.sink, (records) => drained.acked(records));
  await using troupe = await createTroupe({
    actors: [Beat],
    stores: { default: postgresStore(database.url) },
    sinks: [sink],
  });
  const drain = async (count: number): Promise<Measured> => {
    sink.hold();
    try {
      let next = 0;
      const writer = async (): Promise<void> => {
        while (next < ACTORS) await troupe.ref(Beat, `k${next++}`).burst(count / ACTORS);
      };
      await Promise.all(Array.from({ length: WRITERS }, writer));
      drained.start(count);
    } finally {
      sink.release();
    }
    return await drained.done;
  };
  await drain(WARM_UP);
  return await drain(BACKLOG);
}

/** The same backlog in a table, drained by a poller that never pauses. */
export async function pollerDrain(broker: BrokerName): Promise<Measured> {
  await using database = await testDatabase("bench_drainpoll");
  await using opened = await openBrokerSink(broker);
  const drained = new Drained();
  const sink = watchedSink(opened.sink, (records) => drained.acked(records));
  const sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  const fill = (count: number): Promise<unknown> => sql`
    insert into events (id, name, type, key, body, at_ms)
    select 'evt_' || gen_random_uuid(), ${BEAT}, 'beat', 'k' || (i % ${ACTORS}::int), ${JSON.stringify({ n: 0, note: NOTE })}, ${Date.now()}::bigint
    from generate_series(1, ${count}::int) i`;
  const drain = async (count: number): Promise<Measured> => {
    await fill(count);
    await sql`analyze events`;
    drained.start(count);
    await using _poller = new Poller(sql, sink, { intervalMs: 0, batch: 500 });
    return await drained.done;
  };
  try {
    await createTables(sql);
    await drain(WARM_UP);
    return await drain(BACKLOG);
  } finally {
    await sql.end();
  }
}

/** Counts acknowledgements; a repeat counts once. */
class Drained {
  readonly #seen = new Set<string>();
  #latencies: number[] = [];
  #startedAt = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #done = Promise.withResolvers<Measured>();

  /** Counts from here on, up to `wanted`. */
  start(wanted: number): void {
    this.#seen.clear();
    this.#latencies = [];
    this.#wanted = wanted;
    this.#done = Promise.withResolvers<Measured>();
    this.#startedAt = performance.now();
  }

  /** Resolves when as many as wanted were acknowledged since the start. */
  get done(): Promise<Measured> {
    return this.#done.promise;
  }

  acked(records: readonly OutboxRecord[]): void {
    const after = performance.now() - this.#startedAt;
    for (const { id } of records) {
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      this.#latencies.push(after);
    }
    if (this.#seen.size >= this.#wanted) this.#done.resolve(summary(this.#latencies, after / 1_000));
  }
}
