import postgres from "postgres";
import { natsSink } from "#infra/nats/sink.ts";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, type OutboxRecord, type Sink, silentLog, type Troupe } from "#runtime";
import { removeStream } from "../e2e/nats-events.ts";
import { BEAT, Beat, NOTE } from "./beat.ts";
import { type Measured, summary } from "./measure.ts";

/** Keys that the dead letters are spread over. */
export const KEYS = 1_000;
const WRITERS = 16;
const WITHIN_MS = 120_000;
/** So many a second that it bounds nothing. */
const UNBOUNDED = 50_000;

/**
 * `count` events that the broker had refused, and now takes: from the start of the replay of all to the last
 * acknowledgement. Times count from the start. NATS, a stream of its own.
 * @throws {Error} a dead letter was lost, came twice, or overtook another of its key.
 */
export async function redriven(count: number): Promise<Measured> {
  await using database = await testDatabase("bench_redrive");
  await using broker = await openBroker();
  const seen = new Seen();
  const sink = fussy(broker.sink, (records) => seen.acked(records));
  await using troupe = await createTroupe({
    actors: [Beat],
    stores: { default: postgresStore(database.url) },
    sinks: [sink],
  });
  await fill(troupe, count);
  await eventually("all are dead letters", WITHIN_MS, async () => (await lettersIn(database.url)) === count);
  sink.refuses = false;
  seen.start();
  const { replayed, failed } = await troupe.deadLetters.replayAll({ reason: "broker" }, { ratePerSecond: UNBOUNDED });
  if (replayed.length !== count || failed.length > 0)
    throw new Error(`Of ${count} letters ${replayed.length} were replayed, ${failed.length} failed`);
  if ((await lettersIn(database.url)) !== 0) throw new Error("Letters were replayed, and are still there");
  return seen.measured(count);
}

/** The same by hand: a poller that takes row after row by `UPDATE … RETURNING`, publishes it, and commits. */
export async function rowByRow(count: number): Promise<Measured> {
  await using database = await testDatabase("bench_rowbyrow");
  await using broker = await openBroker();
  const seen = new Seen();
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  try {
    await sql`create table letters (seq bigserial primary key, id text not null, key text not null, body text not null, state text not null)`;
    await sql`
      insert into letters (id, key, body, state)
      select 'evt_' || gen_random_uuid(), 'k' || (i % ${KEYS}::int), json_build_object('n', i / ${KEYS}::int, 'note', ${NOTE}::text), 'dead'
      from generate_series(0, ${count - 1}::int) i`;
    await sql`create index on letters (seq) where state = 'dead'`;
    await sql`analyze letters`;
    seen.start();
    for (let found = true; found;) {
      found = await sql.begin(async (transaction) => {
        const [row] = await transaction<{ seq: string; id: string; key: string; body: string }[]>`
          update letters set state = 'replayed'
          where seq = (select seq from letters where state = 'dead' order by seq limit 1 for update skip locked)
          returning seq, id, key, body`;
        if (row === undefined) return false;
        const record = recordOf(row);
        await broker.sink.publish([record], 1);
        seen.acked([record]);
        return true;
      });
    }
    return seen.measured(count);
  } finally {
    await sql.end();
  }
}

async function openBroker(): Promise<AsyncDisposable & { readonly sink: Sink }> {
  const name = `b${crypto.randomUUID().replaceAll("-", "").slice(0, 10)}`;
  const url = await testServer("nats");
  const sink = natsSink({ url, log: silentLog, stream: `BENCH-${name}`, subjectPrefix: `${name}.evt` });
  // It connects by itself: what is measured begins with a connection that is there.
  await eventually("the broker answers", WITHIN_MS, () =>
    sink.check().then(
      () => true,
      () => false,
    ),
  );
  return {
    sink,
    async [Symbol.asyncDispose]() {
      await sink.close();
      await removeStream(url, `BENCH-${name}`);
    },
  };
}

/** A sink that refuses for good until it is told otherwise. */
function fussy(sink: Sink, onAcked: (records: readonly OutboxRecord[]) => void): Sink & { refuses: boolean } {
  const fussed = {
    ...sink,
    refuses: true,
    async publish(records: readonly OutboxRecord[], attempt: number) {
      if (fussed.refuses) return records.map(() => ({ kind: "refused" as const, detail: "Not today" }));
      const results = await sink.publish(records, attempt);
      onAcked(records.filter((_, i) => results[i]?.kind === "acked"));
      return results;
    },
  };
  return fussed;
}

/** Every key emits its events in one turn after the other, numbered from 0. */
async function fill(troupe: Troupe, count: number): Promise<void> {
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < KEYS) await troupe.ref(Beat, `k${next++}`).burst(count / KEYS);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

async function lettersIn(url: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const [row] = await sql<{ count: number }[]>`select count(*)::int as count from dead_letters`;
    return row?.count ?? 0;
  } finally {
    await sql.end();
  }
}

/** What was acknowledged, and that each key's events came in their order, each once. */
class Seen {
  readonly #next = new Map<string, number>();
  readonly #latencies: number[] = [];
  #startedAt = 0;
  #lastAt = 0;

  start(): void {
    this.#startedAt = performance.now();
  }

  acked(records: readonly OutboxRecord[]): void {
    this.#lastAt = performance.now() - this.#startedAt;
    for (const { actor, body } of records) {
      const { n } = JSON.parse(body) as { readonly n: number };
      const expected = this.#next.get(actor.key) ?? 0;
      if (n !== expected) throw new Error(`Event ${n} of ${actor.key} came where ${expected} was due`);
      this.#next.set(actor.key, n + 1);
      this.#latencies.push(this.#lastAt);
    }
  }

  measured(count: number): Measured {
    if (this.#latencies.length !== count) throw new Error(`Of ${count} letters ${this.#latencies.length} came`);
    return summary(this.#latencies, this.#lastAt / 1_000);
  }
}

function recordOf(row: {
  readonly seq: string;
  readonly id: string;
  readonly key: string;
  readonly body: string;
}): OutboxRecord {
  return {
    partition: 0,
    seq: Number(row.seq),
    kind: "event",
    id: row.id,
    name: BEAT,
    actor: { type: "beat", key: row.key },
    target: row.key,
    body: row.body,
    at: Date.now(),
    traceparent: undefined,
  };
}
