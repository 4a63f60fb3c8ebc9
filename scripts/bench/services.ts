import { type BenchOptions, wants } from "./options.ts";
import type { BenchCase } from "./report.ts";
import { ServiceBed } from "./service-bed.ts";
import { healing, tenAtOnce } from "./service-containers.ts";
import { atZero, lagSteps } from "./service-scaling.ts";
import { atRest, forwarding, updates } from "./service-traffic.ts";

/** How much is done of each: in a try, as usual, and with all it takes. */
const SIZES = {
  quick: { rounds: 1, kills: 3, steps: 1, sleeps: 2, requests: 3_000, resting: 5, restSeconds: 15 },
  usual: { rounds: 3, kills: 10, steps: 5, sleeps: 10, requests: 10_000, resting: 20, restSeconds: 60 },
  full: { rounds: 5, kills: 30, steps: 10, sleeps: 20, requests: 100_000, resting: 100, restSeconds: 60 },
} as const;

/**
 * Services on containers, beside raw creates and Docker Swarm on the same engine: how soon they are there, healed, scaled and
 * woken, and what becomes of their requests. With `full` 100,000 requests and 100 services instead of 10,000 and 20.
 */
export async function* services(options: BenchOptions): AsyncGenerator<BenchCase> {
  const { rounds, kills, steps, sleeps, requests, resting, restSeconds } =
    SIZES[options.full ? "full" : options.quick ? "quick" : "usual"];
  const parts: readonly (readonly [group: string, (bed: ServiceBed) => AsyncGenerator<BenchCase>])[] = [
    ["up", (bed) => tenAtOnce(bed, rounds)],
    ["healed", (bed) => healing(bed, kills)],
    ["lag", (bed) => lagSteps(bed, steps)],
    ["zero", (bed) => atZero(bed, sleeps)],
    ["forwarded", (bed) => forwarding(bed)],
    ["updates", (bed) => updates(bed, requests)],
    ["rest", (bed) => atRest(bed, resting, restSeconds)],
  ];
  const chosen = parts.filter(([group]) => wants(options, group));
  if (chosen.length === 0) return;
  await using bed = await ServiceBed.open();
  for (const [group, cases] of chosen) for await (const one of cases(bed)) yield { ...one, group };
}
