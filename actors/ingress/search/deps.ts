import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import type { AnyActorType } from "#runtime";
import type { RecentLines } from "./process-log.ts";

/** What a search looks at, beside what the routes speak to. */
export interface SearchDeps {
  /** Every actor type of the system. */
  readonly actors: readonly AnyActorType[];
  /** The names of the sinks that events go to. */
  readonly sinks: readonly string[];
  /** The containers of this process's engines; `undefined`: it drives none. */
  readonly containers: () => OwnContainers | undefined;
  /** What this process has logged. */
  readonly lines: RecentLines;
}
