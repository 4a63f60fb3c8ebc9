import type { Store } from "./ports/store.ts";

/** A store in memory: the same promises as Postgres, except that nothing outlives the process. */
export function memory(name = "memory"): Store {
  throw new Error(`under construction: ${name}`);
}
