import type { Troupe, TroupeOptions } from "./troupe.ts";

/** Starts a node: opens the stores, takes what partitions are free, runs timers and relays. */
export async function createTroupe(options: TroupeOptions): Promise<Troupe> {
  throw new Error(`under construction: ${options.actors.length}`);
}
