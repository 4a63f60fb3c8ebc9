/**
 * A simulation: places orders at a rate, each with its fate, and watches them to their ends.
 *
 * N1 A number is an order: however often a step is repeated, after kills too, each order is placed once and counted once.
 * N2 A stop ends the placing at once. Orders under way go on by themselves; they stay counted as such.
 * N3 Orders that have not ended ten minutes after the last was placed are not waited for.
 */
import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { SimulationCounts, SimulationProgress } from "#actors/shop/simulation/messages.ts";
import type { EndedOrder, RunSimulationActivities } from "./activities.ts";
import type { SimulationRun } from "./messages.ts";
import { RUN_SIMULATION } from "./names.ts";
import { addTo, percentile, type Spread } from "./spread.ts";

const TICK_MS = 1_000;
const WAIT_MS = 600_000;
/** As many orders are looked at in one step. */
const WATCHED = 250;

/** Where a simulation stands between two runs. */
interface Progress {
  readonly next: number;
  readonly pending: readonly number[];
  readonly counts: SimulationCounts;
  readonly spreads: Readonly<Record<string, Spread>>;
  readonly quietMs: number;
}

const NONE: Progress = {
  next: 0,
  pending: [],
  counts: { placed: 0, underWay: 0, delivered: 0, rejected: 0, cancelled: 0, returned: 0, needsAttention: 0 },
  spreads: {},
  quietMs: 0,
};

const { stockSimulation, placeSimulated, watchSimulated, reportSimulation } = proxyActivities<RunSimulationActivities>({
  // Each takes a second or two; a worker that is killed in one of them holds up the simulation for so long.
  startToCloseTimeout: "20s",
  retry: { initialInterval: "500ms", maximumInterval: "5s" },
});

export const stopSimulation = defineSignal(RUN_SIMULATION.stop);

/** Runs a simulation to its end, or to its stop. */
export async function runSimulation(run: SimulationRun, from: Progress = NONE): Promise<SimulationProgress> {
  const { plan } = run;
  let stopped = false;
  let { next, quietMs } = from;
  let pending = [...from.pending];
  const counts = { ...from.counts };
  const spreads: Record<string, Spread> = Object.fromEntries(
    Object.entries(from.spreads).map(([status, spread]) => [status, { ...spread }]),
  );
  setHandler(stopSimulation, () => void (stopped = true));
  if (next === 0) await stockSimulation(run);

  while (!stopped && (next < plan.orders || (pending.length > 0 && quietMs < WAIT_MS))) {
    const batch = Array.from({ length: Math.min(plan.ratePerSecond, plan.orders - next) }, (_, i) => next + i);
    const watched = pending.slice(0, WATCHED);
    const [, ended] = await Promise.all([
      batch.length === 0 ? undefined : placeSimulated(run, batch),
      watched.length === 0 ? [] : watchSimulated(run, watched),
      condition(() => stopped, TICK_MS),
    ]);
    next += batch.length;
    quietMs = batch.length > 0 ? 0 : quietMs + TICK_MS;
    count(ended);
    const over = new Set(ended.map(({ number }) => number));
    // Those that were looked at go to the end: everyone is looked at in turn.
    pending = [...pending.slice(WATCHED), ...watched.filter((number) => !over.has(number)), ...batch];
    Object.assign(counts, { placed: next, underWay: pending.length });
    await reportSimulation(run.id, progress("running"));
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof runSimulation>(run, { next, pending, counts, spreads, quietMs });
  }
  const last = progress(stopped ? "stopped" : "completed");
  await reportSimulation(run.id, last);
  return last;

  function count(ended: readonly EndedOrder[]): void {
    for (const { status, reachedMs } of ended) {
      if (status === "needs_attention") counts.needsAttention++;
      else if (status === "delivered" || status === "rejected" || status === "cancelled" || status === "returned")
        counts[status]++;
      for (const [reached, ms] of Object.entries(reachedMs)) addTo((spreads[reached] ??= {}), ms);
    }
  }

  function progress(status: SimulationProgress["status"]): SimulationProgress {
    const latency = Object.fromEntries(
      Object.entries(spreads).map(([reached, spread]) => [
        reached,
        { p50Ms: percentile(spread, 0.5), p99Ms: percentile(spread, 0.99) },
      ]),
    );
    return { status, counts: { ...counts }, latency };
  }
}
