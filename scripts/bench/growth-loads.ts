/** What the benchmark `growth` measures, each beside so many rows or sockets: in a process of its own, see `isolated.ts`. */
import * as v from "valibot";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { actor, createTroupe, type DeadLetter, type OutboxRecord, type Sink, type Troupe } from "#runtime";
import { Account } from "./account.ts";
import { CpuMeter, postmasterOf } from "./cpu.ts";
import { fillDeadLetters, fillOutbox, fillTimers, makeStore } from "./growth-fill.ts";
import { load, type Measured, percentiles, rssOf, summary } from "./measure.ts";
import { progress } from "./progress.ts";
import { SocketPair } from "./socket-pair.ts";

const ACTORS = 1_000;
const WITHIN_MS = 120_000;
const NODE = Bun.fileURLToPath(new URL("growth-node.ts", import.meta.url));
/** How long `load` drives, its warm-up included. */
const LOADED_SECONDS = 8;

const anyKey = (): string => `k${Math.floor(Math.random() * ACTORS)}`;

/** A sink that takes everything at once. */
function takingSink(name: string, taken: (records: readonly OutboxRecord[]) => void): Sink {
  return {
    name,
    accepts: "event",
    lane: { kind: "batch", maxBatch: 1_000 },
    publish: (records) => {
      taken(records);
      return Promise.resolve(records.map(() => ({ kind: "acked" })));
    },
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Durable turns with one event each, which a sink takes, in a store whose outbox holds so many rows that it took before. */
export async function turnsBesideOutbox(rows: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_outbox");
  await fillOutbox(database.url, rows, "taking");
  let taken = 0;
  const sink = takingSink("taking", ({ length }) => (taken += length));
  await using troupe = await createTroupe({
    actors: [Account],
    stores: { default: postgresStore(database.url) },
    sinks: [sink],
  });
  let turns = 0;
  const measured = await load(callers, () => {
    turns++;
    return troupe.ref(Account, anyKey()).increment({ by: 1 });
  });
  await eventually("every event was taken", WITHIN_MS, async () => taken >= turns);
  return measured;
}

const Ticker = actor("ticker", {
  state: v.object({ ticks: v.number() }),
  initial: () => ({ ticks: 0 }),
  messages: ({ command }) => ({
    tick: command({}, (c) => {
      c.state.ticks++;
      firedAt.push(Date.now());
    }),
  }),
});
const firedAt: number[] = [];

/**
 * Timers of so many actors that are due at one moment, from that moment to the last turn; latency is how late each was. Their
 * reading begins before.
 */
export async function timersAtOnce(timers: number): Promise<Measured> {
  await using database = await testDatabase("bench_timers");
  await makeStore(database.url);
  const warm = 2_000;
  const all = await fired(database.url, warm);
  if (all.length !== warm) throw new Error(`${all.length} of ${warm} timers fired`);
  const late = await fired(database.url, timers);
  return summary(late, late.reduce((most, one) => Math.max(most, one), 1) / 1_000);
}

/** Fires so many timers and says how many milliseconds late each was. */
async function fired(url: string, timers: number): Promise<readonly number[]> {
  firedAt.length = 0;
  // All are written by then, and have been read as far as memory takes them.
  const dueAt = Date.now() + 3_000 + timers / 10;
  await fillTimers(url, Ticker.type, timers, dueAt);
  await using _troupe = await createTroupe({ actors: [Ticker], stores: { default: postgresStore(url) } });
  if (Date.now() > dueAt) throw new Error("The timers were due before they were written");
  await eventually("every timer has fired", WITHIN_MS, async () => firedAt.length >= timers);
  return firedAt.map((at) => at - dueAt);
}

/** Broadcasts of durable turns, each to one of so many open sockets, from its durable reply to its message. */
export async function broadcastsToSockets(sockets: number, callers: number): Promise<Measured> {
  const seconds = { warmUp: 2, counted: 6 };
  await using pair = await SocketPair.start("troupe");
  await pair.open(sockets, sockets);
  const before = await pair.drive(0, callers, seconds.warmUp, sockets);
  await pair.heard(0, before.length);
  const meter = new CpuMeter(pair.processes);
  const durable = new Map(await pair.drive(before.length, callers, seconds.counted, sockets));
  const heard = await pair.heard(before.length, durable.size);
  progress(`growth: ${sockets} sockets, of one processor: ${meter.used(heard.length)}`);
  const arrivals = heard.map(([, at]) => at).sort((a, b) => a - b);
  const took = ((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / 1_000;
  const latencies = heard.map(([n, at]) => at - (durable.get(n) ?? Number.NaN));
  return { opsPerSecond: heard.length / took, ...percentiles(latencies), rssMb: await pair.rss() };
}

/** Durable turns of so many nodes of one store together, each a process that calls actors of its own. */
export async function turnsOfNodes(nodes: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_nodes");
  await makeStore(database.url);
  const postmaster = await postmasterOf(database.url);
  const prefix = `b${crypto.randomUUID().slice(0, 8)}`;
  const args = [NODE, database.url, await testServer("nats"), prefix, `${nodes}`, `${callers / nodes}`];
  const children = Array.from({ length: nodes }, () =>
    Bun.spawn([process.execPath, ...args], { stdin: "pipe", stdout: "pipe", stderr: "inherit" }),
  );
  try {
    const said = children.map(({ stdout }) => linesOf(stdout));
    await Promise.all(said.map((lines) => lines.next()));
    const meter = new CpuMeter(postmaster === undefined ? {} : { Postgres: postmaster });
    for (const { stdin } of children) {
      void stdin.write("go\n");
      await stdin.flush();
    }
    const answers = await Promise.all(said.map((lines) => lines.next()));
    const each = answers.map(({ value }) => JSON.parse(value ?? "") as Measured);
    const sum = (of: (one: Measured) => number): number => each.reduce((all, one) => all + of(one), 0);
    const opsPerSecond = sum((one) => one.opsPerSecond);
    progress(`growth: ${nodes} nodes, of one processor: ${meter.used(opsPerSecond * LOADED_SECONDS)}`);
    const most = (of: (one: Measured) => number): number => each.reduce((top, one) => Math.max(top, of(one)), 0);
    return {
      opsPerSecond,
      p50Ms: most((one) => one.p50Ms),
      p99Ms: most((one) => one.p99Ms),
      rssMb: sum((one) => one.rssMb),
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ exited }) => exited));
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  throw new Error("A node ended before it said what it reached");
}

/** A dead letter that is kept, found in a page of its kind, and replayed, in a store that holds so many others. */
export async function replaysBesideDeadLetters(letters: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_letters");
  await makeStore(database.url);
  await fillDeadLetters(database.url, letters);
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  const measured = await load(callers, (caller, round) => replayOne(troupe, `${caller}-${round}`));
  return { ...measured, rssMb: rssOf() };
}

async function replayOne({ deadLetters }: Troupe, id: string): Promise<void> {
  const letter = sendTo(`k${id}`, id);
  await deadLetters.record(Account.type, letter);
  const { items } = await deadLetters.list({ key: letter.target, limit: 10 });
  if (items[0]?.id !== id) throw new Error(`The dead letter ${id} is not in its page`);
  await deadLetters.list({ reason: "poison", limit: 50 });
  const outcome = await deadLetters.replay(id);
  if (outcome?.replayed[0] !== id)
    throw new Error(`The dead letter ${id} was not replayed: ${JSON.stringify(outcome)}`);
}

function sendTo(key: string, id: string): DeadLetter {
  const target = `${Account.type}/${key}`;
  const record: OutboxRecord = {
    ...{ partition: 0, seq: 1, kind: "send", id, name: "increment", target, body: '{"by":1}', at: Date.now() },
    actor: { type: Account.type, key: "sender" },
    traceparent: undefined,
  };
  return {
    ...{
      id,
      reason: "poison",
      detail: "It failed",
      target,
      attempts: 5,
      at: record.at,
      type: "increment",
      key: target,
    },
    record: JSON.stringify(record),
  };
}
