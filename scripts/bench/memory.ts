import * as v from "valibot";
import { actor, createTroupe, memory, type Troupe } from "#runtime";
import { load, type Measured } from "./measure.ts";
import type { BenchCase } from "./report.ts";

/** Turns of `add` that this process has run. */
let added = 0;

export const Echo = actor("echo", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  messages: ({ command, query }) => ({
    ask: command({ in: v.number(), out: v.number() }, (_c, n) => n + 1),
    tell: command({ in: v.number() }, () => undefined),
    add: command({ in: v.number(), out: v.number() }, (c, n) => {
      added++;
      return (c.state.n += n);
    }),
    read: query({ out: v.number() }, (c) => c.state.n),
  }),
});

const BURST = 10_000;

/** Ask and reply within one node, nothing stored; the baseline is a plain awaited function. */
export async function* ask(): AsyncGenerator<BenchCase> {
  await using troupe = await start();
  const refs = Array.from({ length: 1_000 }, (_, i) => troupe.ref(Echo, `k${i}`));
  const plain = async (n: number): Promise<number> => n + 1;
  for (const callers of [1, 64]) {
    const baseline = await bulk(callers, (i) => plain(i));
    const measured = await bulk(callers, (i) => refs[i % refs.length]!.ask(i));
    yield { bench: "ask", case: `${callers} in flight`, measured, baseline: { name: "awaited function", ...baseline } };
  }
  for (const callers of [64, 256]) {
    const baseline = { name: "awaited function", ...(await bulk(callers, (i) => plain(i))) };
    const measured = await bulk(callers, (i) => refs[i % refs.length]!.add(1));
    yield { bench: "ask", case: `${callers} in flight, each changes a state`, measured, baseline };
  }
}

/** Messages whose reply nobody waits for, against the same ones asked. Each has had its turn when the next one is told. */
export async function* tell(): AsyncGenerator<BenchCase> {
  await using troupe = await start();
  const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`);
  const refs = keys.map((key) => troupe.ref(Echo, key));
  const asked = await bulk(512, (i) => refs[i % refs.length]!.tell(i));
  const tells = keys.map((key) => troupe.tell(Echo, key));
  let next = 0;
  const told = await load(1, async () => {
    for (let i = 0; i < 512; i++) tells[next++ % tells.length]!.tell(next);
    // Everything else that runs here, the lease's renewal among it, must get its turn as well.
    await new Promise((resolve) => setImmediate(resolve));
  });
  yield {
    bench: "tell",
    case: "in bursts of 512",
    measured: each(told, 512),
    baseline: { name: "asked, 512 in flight", ...asked },
  };
  const baseline = { name: "asked, 512 in flight", ...(await bulk(512, (i) => refs[i % refs.length]!.add(1))) };
  const changed = await load(1, async () => {
    const all = added + BURST;
    for (let i = 0; i < BURST; i++) tells[next++ % tells.length]!.add(1);
    while (added < all) await new Promise((resolve) => setImmediate(resolve));
  });
  yield {
    bench: "tell",
    case: "in bursts of 10,000, each changes a state",
    measured: each(changed, BURST),
    baseline,
  };
}

/** The figures of one of `count` operations that were timed together. */
function each(measured: Measured, count: number): Measured {
  const { opsPerSecond, p50Ms, p99Ms } = measured;
  return { ...measured, opsPerSecond: opsPerSecond * count, p50Ms: p50Ms / count, p99Ms: p99Ms / count };
}

async function start(): Promise<Troupe> {
  return createTroupe({ actors: [Echo], stores: { default: memory() } });
}

/** Rounds of `inFlight` operations at once; latency is the round's. Per-operation clocks would be most of the cost. */
async function bulk(inFlight: number, operation: (i: number) => Promise<unknown>): Promise<Measured> {
  let next = 0;
  const rounds = Math.ceil(512 / inFlight);
  const measured = await load(1, async () => {
    for (let round = 0; round < rounds; round++) {
      const waiting: Promise<unknown>[] = [];
      for (let i = 0; i < inFlight; i++) waiting.push(operation(next++));
      await Promise.all(waiting);
    }
  });
  return {
    ...measured,
    opsPerSecond: measured.opsPerSecond * inFlight * rounds,
    p50Ms: measured.p50Ms / rounds,
    p99Ms: measured.p99Ms / rounds,
  };
}
