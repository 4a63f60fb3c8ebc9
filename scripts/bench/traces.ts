import { isolatedWith } from "./isolated.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import type { TracedTurns } from "./traces-loads.ts";

const LOADS = "traces-loads.ts";

/** What tracing costs a turn: where one of a hundred is recorded, and where none is, against a node without tracing. */
export async function* traces(): AsyncGenerator<BenchCase> {
  for (const store of ["memory", "postgres"] as const) {
    progress(`traces: ${store}, side by side`);
    const { off, none, some } = await isolatedWith<TracedTurns>([], LOADS, "tracedTurns", store);
    const baseline = { name: `${store}, no tracing, by CPU time`, ...off };
    yield { bench: "traces", case: `${store}, 1 % recorded, by CPU time`, measured: some, baseline };
    yield { bench: "traces", case: `${store}, none recorded, by CPU time`, measured: none, baseline };
  }
}
