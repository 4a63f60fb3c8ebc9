import type { CommitEntry } from "./history.ts";

/** The actors that a commit writes anything of: a turn that changes no state leaves other things. */
export function actorsOf({ states, replies, refusals = [], outbox, timers }: CommitEntry): ReadonlySet<string> {
  return new Set([...states, ...replies, ...refusals, ...outbox, ...timers].map(({ actor }) => actor));
}
