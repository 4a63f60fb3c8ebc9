import { type Measured, percentiles } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { type SocketMode, SocketPair } from "./socket-pair.ts";

/** `topics` are dealt to the sockets in turn; each broadcast reaches `sockets / topics` of them. */
interface Load {
  readonly name: string;
  readonly sockets: number;
  readonly topics: number;
  readonly rate: number;
}

const LOADS: readonly Load[] = [
  { name: "1,000 broadcasts/s to one of 1,000 sockets each", sockets: 1_000, topics: 1_000, rate: 1_000 },
  { name: "20 broadcasts/s to each of 1,000 sockets", sockets: 1_000, topics: 1, rate: 20 },
];
const WARM_UP_SECONDS = 2;
const SECONDS = 8;
const IDLE = { short: 1_000, full: 10_000 };

/** From the durable reply of a turn to its message at the client, and what an idle socket costs. */
export async function* sockets({ full }: BenchOptions): AsyncGenerator<BenchCase> {
  const name = "Bun publish, nothing stored";
  for (const load of LOADS) {
    progress(`sockets: ${load.name}, then the same without a store (${WARM_UP_SECONDS + SECONDS} s each)`);
    const measured = await latency("troupe", load);
    yield { bench: "sockets", case: load.name, measured, baseline: { name, ...(await latency("plain", load)) } };
  }
  const count = full ? IDLE.full : IDLE.short;
  progress(`sockets: ${count} idle ones`);
  const [own, other] = [await idle("troupe", count), await idle("plain", count)];
  const title = `${count} idle sockets opened; ${own.kbEach.toFixed(1)} KB each, Bun's alone ${other.kbEach.toFixed(1)} KB`;
  yield { bench: "sockets", case: title, measured: own.measured, baseline: { name, ...other.measured } };
}

async function latency(mode: SocketMode, { sockets: count, topics, rate }: Load): Promise<Measured> {
  await using pair = await SocketPair.start(mode);
  await pair.open(count, topics);
  const uncounted = rate * WARM_UP_SECONDS;
  const each = count / topics;
  await pair.feed(0, rate, WARM_UP_SECONDS, topics);
  await pair.heard(0, uncounted * each);
  const durable = new Map(await pair.feed(uncounted, rate, SECONDS, topics));
  const heard = await pair.heard(uncounted, rate * SECONDS * each);
  const latencies = heard.map(([n, at]) => at - (durable.get(n) ?? Number.NaN));
  const arrivals = heard.map(([, at]) => at).sort((a, b) => a - b);
  const seconds = ((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / 1_000;
  return { opsPerSecond: heard.length / seconds, ...percentiles(latencies), rssMb: await pair.rss() };
}

async function idle(
  mode: SocketMode,
  count: number,
): Promise<{ readonly measured: Measured; readonly kbEach: number }> {
  await using pair = await SocketPair.start(mode);
  await pair.open(100, 100); // what the first sockets bring into memory is nobody's share
  const before = await pair.rss();
  const startedAt = performance.now();
  await pair.open(count, count);
  const ms = performance.now() - startedAt;
  const after = await pair.rss();
  const measured = { opsPerSecond: (count / ms) * 1_000, p50Ms: ms / count, p99Ms: ms / count, rssMb: after };
  return { measured, kbEach: ((after - before) * 1_024) / count };
}
