import type { Partition } from "./partition.ts";

/**
 * Is told of the partitions that come into use on this node and leave it: the relays, the timers, the pauses, the watch
 * polls, the index, the actors in memory. In the order in which they are listed, one after the other.
 */
export interface PartitionListener {
  /** Reads what newly held partitions need, before their first turn. What it resolves to is called once they are in use. */
  opening?(partitions: readonly Partition[]): Promise<() => void>;
  /** The partitions are about to be handed over: nothing new is to begin in them. */
  closing?(ids: ReadonlySet<number>): void;
  /** The partitions stay after all: undoes `closing`. */
  reopening?(ids: ReadonlySet<number>): Promise<void>;
  /**
   * The partitions are not in use here any more, and nothing may be kept of them. Called with `"fresh"` before each opening,
   * too: what an earlier time has left would be out of date.
   */
  closed?(ids: ReadonlySet<number>, why: "fresh" | "lost" | "released"): void;
  /** After `closed` with `"released"`: waits for what is under way to the outside, and saves how far it got. */
  released?(ids: ReadonlySet<number>): Promise<void>;
}
