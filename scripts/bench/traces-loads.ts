import { openOtel } from "#infra/otel/otel.ts";
import { samplingOf } from "#infra/otel/sampling.ts";
import { TraceStore } from "#infra/otel/trace-store.ts";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe, memory, type Tracing } from "#runtime";
import { Account } from "./account.ts";
import { load, type Measured } from "./measure.ts";

/** The same turns on a node without tracing, on one that records none, and on one that records one of a hundred. */
export interface TracedTurns {
  readonly off: Measured;
  readonly none: Measured;
  readonly some: Measured;
}

const ACTORS = 1_000;
const CALLERS = 64;
const ROUNDS = 7;
const ROUND = { seconds: 1, warmUpSeconds: 0 };

/**
 * Takes turns, and counts operations by the second of this process's CPU time: what else the machine does changes little of that. The
 * best round of each counts.
 */
export async function tracedTurns(kind: "memory" | "postgres"): Promise<TracedTurns> {
  const recording = (ratio: string): Tracing =>
    openOtel({
      processors: [new TraceStore()],
      sampling: samplingOf({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: ratio }),
    });
  const tracings = { off: undefined, none: recording("0"), some: recording("0.01") } as const;
  await using stack = new AsyncDisposableStack();
  const nodes = new Map<keyof TracedTurns, () => Promise<unknown>>();
  for (const [name, tracing] of Object.entries(tracings) as [keyof TracedTurns, Tracing | undefined][]) {
    const store = kind === "memory" ? memory() : postgresStore(stack.use(await testDatabase("bench_traces")).url);
    const node = stack.use(await createTroupe({ actors: [Account], stores: { default: store }, tracing }));
    nodes.set(name, () => node.ref(Account, `k${Math.floor(Math.random() * ACTORS)}`).increment({ by: 1 }));
  }
  const best: Partial<Record<keyof TracedTurns, Measured>> = {};
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, operation] of nodes) {
      Bun.gc(true);
      const before = process.cpuUsage();
      const since = performance.now();
      const wall = await load(CALLERS, operation, ROUND);
      const { user, system } = process.cpuUsage(before);
      const busy = (user + system) / 1_000 / (performance.now() - since);
      const measured = { ...wall, opsPerSecond: wall.opsPerSecond / busy };
      if (measured.opsPerSecond > (best[name]?.opsPerSecond ?? 0)) best[name] = measured;
    }
  return best as TracedTurns;
}
