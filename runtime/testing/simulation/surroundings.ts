import type { Store } from "../../ports/store.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { CrashPoint } from "./faults.ts";
import type { HistoryEntry } from "./history.ts";
import type { NodeLife } from "./node-life.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** An entry whose time is the present. */
export type Happening<E = HistoryEntry> = E extends HistoryEntry ? Omit<E, "at"> : never;

/** What a node finds around itself in a simulation: all that its ports are made of. */
export interface Surroundings {
  readonly seed: number;
  readonly leaseMs: number;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** What goes wrong at present. */
  readonly plan: FaultPlan;
  /** The one store behind all nodes. */
  readonly store: Store;
  /** The present life of each node. */
  readonly lives: readonly NodeLife[];
  /** Until when a sink takes nothing, by its name. */
  readonly sinksDown: ReadonlyMap<string, number>;
  /** Until when the store takes no commit. */
  readonly stalledUntil: number;
  /** Writes that are still on their way to the store. */
  underWay: number;
  /** Turns and calls so far: where their numbers come from. */
  turns: number;
  calls: number;
  /** Puts something into the history. */
  note(entry: Happening): void;
  /** Kills a node that passes `point` with something of `actors`, when that is planned; then it answers `true`. */
  crashesAt(point: CrashPoint, life: NodeLife, actors: () => readonly string[], message?: string): boolean;
}
