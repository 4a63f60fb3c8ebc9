import { isolated } from "./isolated.ts";
import type { BenchOptions } from "./options.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const LOADS = "turn-loads.ts";

const MILLION = 1_000_000;

/**
 * Durable turns with one event each, against one statement per turn (state and event in a CTE, a pool of 32). In full
 * also in a store that holds a lot, against the same turns in an empty one.
 */
export async function* turn({ full }: BenchOptions): AsyncGenerator<BenchCase> {
  for (const callers of [64, 256]) {
    const one = await isolated(LOADS, "oneStatementPerTurn", callers);
    const baseline = { name: "one statement per turn, pool of 32", ...one };
    const measured = await isolated(LOADS, "durableTurns", callers, false);
    yield { bench: "turn", case: `${callers} callers`, measured, baseline };
    const once = await isolated(LOADS, "durableTurns", callers, true);
    yield { bench: "turn", case: `${callers} callers, each with a message id`, measured: once, baseline };
    if (!full || callers !== 256) continue;
    progress("turn: storing 1M actors, relaying and pruning 1M events");
    const filled = await isolated(LOADS, "durableTurnsInFullStore", callers, MILLION);
    const empty = { name: `${callers} callers, empty store`, ...measured };
    yield {
      bench: "turn",
      case: `${callers} callers, 1M actors and 1M pruned events`,
      measured: filled,
      baseline: empty,
    };
  }
}

/** One actor that everybody calls. */
export async function* hot(): AsyncGenerator<BenchCase> {
  yield { bench: "hot", case: "64 callers, one actor", measured: await isolated(LOADS, "hotTurns", 64) };
}
