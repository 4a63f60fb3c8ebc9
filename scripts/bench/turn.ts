import { isolated } from "./isolated.ts";
import type { BenchCase } from "./report.ts";

const LOADS = "turn-loads.ts";

/** Durable turns with one event each, against one statement per turn (state and event in a CTE, a pool of 32). */
export async function* turn(): AsyncGenerator<BenchCase> {
  for (const callers of [64, 256]) {
    const one = await isolated(LOADS, "oneStatementPerTurn", callers);
    const baseline = { name: "one statement per turn, pool of 32", ...one };
    const measured = await isolated(LOADS, "durableTurns", callers, false);
    yield { bench: "turn", case: `${callers} callers`, measured, baseline };
    const once = await isolated(LOADS, "durableTurns", callers, true);
    yield { bench: "turn", case: `${callers} callers, each with a message id`, measured: once, baseline };
  }
}

/** One actor that everybody calls. */
export async function* hot(): AsyncGenerator<BenchCase> {
  yield { bench: "hot", case: "64 callers, one actor", measured: await isolated(LOADS, "hotTurns", 64) };
}
