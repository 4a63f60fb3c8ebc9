import type { ServerName } from "#infra/stack/types.ts";
import { isolatedWith } from "./isolated.ts";
import type { Measured } from "./measure.ts";
import { type BenchOptions, wants } from "./options.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const ACTIVATION = "activation-loads.ts";
const GROWTH = "growth-loads.ts";

/** Something that grows, and what is measured beside it: an export of a module of loads that takes how much of it there is. */
interface Growing {
  readonly what: string;
  readonly file: string;
  readonly load: string;
  /** How many callers there are; `undefined`: nobody calls. */
  readonly callers?: number;
  /** As much as there is of it in the largest case. */
  readonly most: number;
  /** How much of it there is in each case, where that is not 1,000 and ten times as much each time. */
  readonly sizes?: readonly number[];
  readonly servers?: readonly ServerName[];
}

/** Everything that grows. */
export const GROWING: readonly Growing[] = [
  { what: "stored actors", file: ACTIVATION, load: "turnsOverKeys", callers: 256, most: 1_000_000 },
  {
    what: "answered message ids of 1,000 actors",
    file: ACTIVATION,
    load: "turnsBesideIds",
    callers: 256,
    most: 1_000_000,
  },
  { what: "outbox rows", file: GROWTH, load: "turnsBesideOutbox", callers: 256, most: 1_000_000 },
  { what: "timers due at once", file: GROWTH, load: "timersAtOnce", most: 100_000 },
  { what: "open sockets", file: GROWTH, load: "broadcastsToSockets", callers: 64, most: 10_000, servers: ["nats"] },
  { what: "dead letters", file: GROWTH, load: "replaysBesideDeadLetters", callers: 16, most: 1_000_000 },
  {
    ...{ what: "processes on one PostgreSQL", file: GROWTH, load: "turnsOfNodes", callers: 256 },
    ...{ most: 4, sizes: [1, 2, 4], servers: ["nats"] },
  },
];

const SIZES = [1_000, 10_000, 100_000, 1_000_000] as const;
/** The largest size that is measured, by how much time there is. */
const LARGEST = { quick: 10_000, usual: 100_000, full: 1_000_000 } as const;

/** How a case is called. */
export function growthCase({ what, callers }: Pick<Growing, "what" | "callers">, size: number): string {
  return `${size.toLocaleString("en-US")} ${what}${callers === undefined ? "" : `, ${callers} callers`}`;
}

/** The sizes that something is measured at. */
export function sizesOf(
  { most, sizes = SIZES }: Pick<Growing, "most" | "sizes">,
  largest: number = LARGEST.full,
): readonly number[] {
  return sizes.filter((size) => size <= Math.min(most, largest));
}

/** The same work beside more and more rows and sockets: each keeps most of what it reaches beside the fewest. */
export async function* growth(options: BenchOptions): AsyncGenerator<BenchCase> {
  const { full, quick } = options;
  const largest = full ? LARGEST.full : quick ? LARGEST.quick : LARGEST.usual;
  for (const growing of GROWING) {
    const { what, file, load, callers, servers = [] } = growing;
    if (!wants(options, what)) continue;
    let smallest: (Measured & { readonly name: string }) | undefined;
    for (const size of sizesOf(growing, largest)) {
      const name = growthCase(growing, size);
      progress(`growth: ${name}`);
      const args = callers === undefined ? [size] : [size, callers];
      const measured = await isolatedWith<Measured>(servers, file, load, ...args);
      smallest ??= { name, ...measured };
      yield { bench: "growth", group: what, case: name, measured, baseline: smallest };
    }
  }
}
