import { kafkaSink } from "#infra/kafka/sink.ts";
import { connectNats } from "#infra/nats/connection.ts";
import { natsSink } from "#infra/nats/sink.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
/**
 * What the broker sinks alone can take: events of about 300 bytes of data, 1,000 actors, one `publish` after the other, as the
 * relay calls them. Each broker is a process of this run's own; NATS flushes every write to disk.
 *
 * `bun scripts/bench/sinks.ts [nats|kafka]…`
 */
import { newId, type OutboxRecord, type Sink, silentLog } from "#runtime";

const ACTORS = 1_000;
const DATA = JSON.stringify({ note: "x".repeat(288) });
const SECONDS = 3;

let made = 0;

function records(count: number): OutboxRecord[] {
  return Array.from({ length: count }, () => {
    const key = `ord_${++made % ACTORS}`;
    return {
      partition: made % 64,
      seq: made,
      kind: "event",
      id: newId("evt"),
      name: "order.placed.v1",
      actor: { type: "order", key },
      target: key,
      body: DATA,
      at: Date.now(),
      traceparent: undefined,
    };
  });
}

async function measure(sink: Sink, size: number): Promise<void> {
  const times: number[] = [];
  let count = 0;
  const started = performance.now();
  while (performance.now() - started < SECONDS * 1_000) {
    const batch = records(size);
    const from = performance.now();
    await sink.publish(batch, 1);
    times.push(performance.now() - from);
    count += size;
  }
  const perSecond = Math.round((count / (performance.now() - started)) * 1_000);
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
  console.log(`| ${sink.name} | ${size} | ${perSecond.toLocaleString("en")} | ${at(0.5)} | ${at(0.99)} |`);
}

async function withNats(work: (sink: Sink) => Promise<void>): Promise<void> {
  await using broker = await OwnBroker.start("nats");
  const connection = connectNats({ url: broker.address, log: silentLog });
  await connection.ready(10_000);
  await work(natsSink({ connection, log: silentLog }));
  await connection.close();
}

async function withKafka(work: (sink: Sink) => Promise<void>): Promise<void> {
  await using broker = await OwnBroker.start("kafka");
  const sink = kafkaSink({ brokers: broker.address, log: silentLog });
  await work(sink);
  await sink.close();
}

const asked = process.argv.slice(2);
console.log("| sink | batch | events/s | p50 ms | p99 ms |\n|---|---|---|---|---|");
for (const [name, run] of [
  ["nats", withNats],
  ["kafka", withKafka],
] as const) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  await run(async (sink) => {
    await sink.publish(records(512), 1);
    const most = sink.lane.kind === "batch" ? sink.lane.maxBatch : 512;
    for (const size of new Set([1, 16, 128, 512, most])) await measure(sink, size);
  });
}
