import { isolated } from "./isolated.ts";
import type { Measured } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const LOADS = "activation-loads.ts";
const CALLERS = 256;

/** What grows: a load of {@link LOADS} that takes how much of it there is, and the callers. */
const GROWS = [
  { what: "stored actors", load: "turnsOverKeys" },
  { what: "answered message ids of 1,000 actors", load: "turnsBesideIds" },
] as const;

/** The same turns in stores of different sizes: each keeps most of what the smallest reaches. The largest in full only. */
export async function* growth({ full }: BenchOptions): AsyncGenerator<BenchCase> {
  const sizes = [1_000, 10_000, 100_000, ...(full ? [1_000_000] : [])];
  for (const { what, load } of GROWS) {
    let smallest: Measured | undefined;
    for (const size of sizes) {
      const named = `${size.toLocaleString("en-US")} ${what}`;
      progress(`growth: ${named}`);
      const measured = await isolated(LOADS, load, size, CALLERS);
      smallest ??= measured;
      const baseline = { name: `1,000 ${what}`, ...smallest };
      yield { bench: "growth", case: `${named}, ${CALLERS} callers`, measured, baseline };
    }
  }
}
