import { CRASH_POINTS, type CrashPoint, type Fault, type FaultKind, type PlacedCrash } from "./faults.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Something that happens to a node or a sink at a moment of its own. */
export interface TimedFault {
  readonly kind: "pause" | "crash" | "stop" | "sink-down" | "store-stalled";
  readonly atMs: number;
  readonly forMs: number;
  /** Which node or sink, as a draw: its remainder by how many there are. */
  readonly which: number;
}

/**
 * What goes wrong in one simulation. Each seed gets some of the kinds, not all: faults that are always there hide the
 * ones that need quiet around them.
 */
export class FaultPlan {
  readonly timed: readonly TimedFault[];
  readonly skewed: boolean;
  #active = false;
  readonly #random: SeededRandom;
  readonly #rates = new Map<FaultKind, number>();
  #refused: string | undefined;
  readonly #crashes: { readonly crash: PlacedCrash; left: number }[] = [];

  constructor(faults: readonly Fault[], random: SeededRandom, spanMs: number, leaseMs: number) {
    this.#random = random;
    const timed: TimedFault[] = [];
    const kinds = faults.filter((fault): fault is FaultKind => typeof fault === "string");
    for (const fault of faults) if (typeof fault !== "string") this.#place(fault);
    // A single kind was asked for by name: then it happens.
    const drawn = kinds.filter(() => kinds.length < 4 || random.chance(0.4));
    for (const kind of drawn) {
      const point = CRASH_POINTS.find((name) => `crash-${name}` === kind);
      if (point !== undefined) {
        this.#place({ point, actor: undefined, message: undefined, nth: random.between(1, 12), always: false });
      } else if (isTimed(kind)) {
        for (let i = random.between(1, 2); i > 0; i--) {
          const forMs = leaseMs * lengthOf(kind, random.fraction());
          timed.push({ kind, atMs: random.fraction() * spanMs, forMs, which: random.between(0, 1_000) });
        }
      } else {
        this.#rates.set(kind, random.pick([0.02, 0.1, 0.3]));
      }
    }
    this.timed = timed;
    this.skewed = drawn.includes("clock-skew");
  }

  /** Whether a fault of this kind happens here and now. */
  strikes(kind: FaultKind): boolean {
    const rate = this.#rates.get(kind);
    return rate !== undefined && this.#active && this.#random.chance(rate);
  }

  /** Whether the store refuses a commit for an actor that is in it: one that it has refused, it refuses for ever. */
  refuses(actors: readonly string[]): boolean {
    if (!this.#rates.has("actor-refused") || !this.#active || actors.length === 0) return false;
    this.#refused ??= this.#random.pick(actors);
    return actors.includes(this.#refused);
  }

  /** Whether the node that passes here with something of `actors` dies. */
  crashesAt(point: CrashPoint, actors: () => readonly string[], message?: string): boolean {
    if (!this.#active) return false;
    for (const placed of this.#crashes) {
      const { crash } = placed;
      if (crash.point !== point || (placed.left === 0 && !crash.always)) continue;
      if (crash.actor !== undefined && !actors().includes(crash.actor)) continue;
      if (crash.message !== undefined && crash.message !== message) continue;
      if (placed.left === 0 || --placed.left === 0) return true;
    }
    return false;
  }

  /** From now on things go wrong. */
  begin(): void {
    this.#active = true;
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#active = false;
  }

  #place(crash: PlacedCrash): void {
    this.#crashes.push({ crash, left: crash.nth });
  }
}

function isTimed(kind: FaultKind): kind is TimedFault["kind"] {
  return ["pause", "crash", "stop", "sink-down", "store-stalled"].includes(kind);
}

/** How long a fault lasts, in leases. */
function lengthOf(kind: TimedFault["kind"], chance: number): number {
  if (kind === "pause") return 0.5 + chance * 2;
  return kind === "store-stalled" ? 0.2 + chance * 4 : chance * 1.5;
}
