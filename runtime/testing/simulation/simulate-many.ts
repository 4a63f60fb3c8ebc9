import { numberFromHost, runningFile } from "./host-settings.ts";
import { runSeed, type SimulationSetup } from "./simulate.ts";
import { SimulationError } from "./simulation-error.ts";
import { type Violation, violation } from "./violation.ts";

/** What `simulateMany` is given. */
export interface ManySimulationsOptions extends SimulationSetup {
  /** How many seeds, from `firstSeed` on. `TROUPE_SEEDS` in the environment raises it. */
  readonly seeds: number;
  /** Default 1. */
  readonly firstSeed?: number;
  /** Gets a line every few seconds of a long run. Default: the console. */
  readonly progress?: (line: string) => void;
}

const PROGRESS_EVERY_MS = 5_000;

/**
 * Simulates seed after seed, and ends with the first that breaks a promise or an invariant. With `TROUPE_SEED` in the
 * environment only that seed is run, with `TROUPE_SEEDS` as many as it says, when that is more.
 *
 * @throws {SimulationError} as `simulate`. A seed that fails is run a second time: when it does not do the same again,
 * the error says so, because then something draws from outside the seed.
 *
 * @example
 * ```ts
 * await simulateMany({ seeds: 500, actors: [Counter], workload: ({ ref }) => ref(Counter, "a").add({ by: 1 }) });
 * ```
 */
export async function simulateMany(options: ManySimulationsOptions): Promise<void> {
  const only = numberFromHost("TROUPE_SEED");
  const first = only ?? options.firstSeed ?? 1;
  const count = only === undefined ? Math.max(options.seeds, numberFromHost("TROUPE_SEEDS") ?? 0) : 1;
  const progress = options.progress ?? ((line: string) => console.log(line));
  const began = performance.now();
  let toldAt = began;
  for (let done = 0; done < count; done++) {
    const seed = first + done;
    await check(options, seed);
    const now = performance.now();
    if (now - toldAt < PROGRESS_EVERY_MS) continue;
    toldAt = now;
    const perSeed = (now - began) / (done + 1);
    progress(`${done + 1} of ${count} seeds, ${perSeed.toFixed(2)} ms each, ${runningFile()}`);
  }
}

async function check(setup: SimulationSetup, seed: number): Promise<void> {
  const { outcome, violations } = await runSeed(setup, seed);
  if (violations.length === 0) return;
  const again = await runSeed(setup, seed);
  const same = JSON.stringify(again.outcome.history) === JSON.stringify(outcome.history);
  throw new SimulationError(
    seed,
    same ? violations : [...violations, unsteady(outcome.history.length)],
    outcome.history,
  );
}

function unsteady(length: number): Violation {
  const detail = "the seed did not do the same again, so something takes time or chance from outside the simulation";
  return violation("invariant", length - 1, detail, []);
}
