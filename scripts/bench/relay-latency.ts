import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, type OutboxRecord } from "#runtime";
import { BEAT, Beat, NOTE } from "./beat.ts";
import { type BrokerName, openBrokerSink } from "./broker-sinks.ts";
import { type Measured, summary } from "./measure.ts";
import { createTables, writeOnce } from "./one-statement.ts";
import { paced } from "./paced.ts";
import { Poller } from "./poller.ts";
import { watchedSink } from "./watched-sink.ts";

const RATE = 1_000;
const WARM_UP_SECONDS = 2;
const SECONDS = 8;
const ACTORS = 1_000;
const ACKED_WITHIN_MS = 60_000;

/** From the durable reply of a turn to the broker's acknowledgement of its event, at {@link RATE} events a second. */
export async function relayLatency(broker: BrokerName): Promise<Measured> {
  await using database = await testDatabase("bench_relay");
  await using opened = await openBrokerSink(broker);
  const timeline = new Timeline();
  const sink = watchedSink(opened.sink, (records) => timeline.acked(records));
  await using troupe = await createTroupe({
    actors: [Beat],
    stores: { default: postgresStore(database.url) },
    sinks: [sink],
  });
  return await timeline.measure((n) => troupe.ref(Beat, keyOf(n)).happen(n));
}

/** The same from a table that a poller looks at every 50 ms, 500 rows at most. */
export async function pollerLatency(broker: BrokerName): Promise<Measured> {
  await using database = await testDatabase("bench_poll");
  await using opened = await openBrokerSink(broker);
  const timeline = new Timeline();
  const sink = watchedSink(opened.sink, (records) => timeline.acked(records));
  const sql = postgres(database.url, { max: 32, onnotice: () => undefined });
  await createTables(sql);
  const poller = new Poller(sql, sink, { intervalMs: 50, batch: 500 });
  try {
    const write = (n: number): Promise<unknown> =>
      writeOnce(sql, { type: "beat", key: keyOf(n), state: { count: n }, event: BEAT, data: { n, note: NOTE } });
    return await timeline.measure(write);
  } finally {
    await poller[Symbol.asyncDispose]();
    await sql.end();
  }
}

const keyOf = (n: number): string => `k${n % ACTORS}`;

/** When each numbered event was durable, and when it was acknowledged. */
class Timeline {
  readonly #durableAt = new Map<number, number>();
  readonly #ackedAt = new Map<number, number>();

  acked(records: readonly OutboxRecord[]): void {
    const now = performance.now();
    for (const { body } of records) this.#ackedAt.set((JSON.parse(body) as { n: number }).n, now);
  }

  /** Feeds numbered events at the rate: some that do not count, then those that do. */
  async measure(write: (n: number) => Promise<unknown>): Promise<Measured> {
    const uncounted = RATE * WARM_UP_SECONDS;
    const feed = (from: number, seconds: number): Promise<void> =>
      paced(RATE, seconds, async (i) => {
        await write(from + i);
        this.#durableAt.set(from + i, performance.now());
      });
    await feed(0, WARM_UP_SECONDS);
    await this.#allAcked();
    const startedAt = performance.now();
    await feed(uncounted, SECONDS);
    await this.#allAcked();
    const counted = [...this.#durableAt].filter(([n]) => n >= uncounted);
    const acks = counted.map(([n]) => this.#ackedAt.get(n) ?? Number.NaN);
    const latencies = counted.map(([, durableAt], i) => (acks[i] ?? Number.NaN) - durableAt);
    return summary(latencies, (acks.reduce((last, at) => Math.max(last, at), 0) - startedAt) / 1_000);
  }

  #allAcked(): Promise<boolean> {
    return eventually("every event is acknowledged", ACKED_WITHIN_MS, async () =>
      [...this.#durableAt.keys()].every((n) => this.#ackedAt.has(n)),
    );
  }
}
