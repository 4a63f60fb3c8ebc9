/** What a run of faults on services leaves behind: what was done, what ran when, what was asked, and what was told. */

/** A container of the service that runs. */
export interface Running {
  readonly host: string;
  readonly id: string;
  readonly revision: string;
  readonly replica: number;
}

/** What ran from this moment on, until the next sighting. Times are milliseconds since the epoch. */
export interface Sighting {
  readonly at: number;
  readonly running: readonly Running[];
}

/**
 * How a request ended. `ok`: as it should. `asked`: the container itself answered 500, as its revision was made to.
 * `cut`: the app process that had it was killed. `failed`: everything else.
 */
export type Ending = "ok" | "asked" | "cut" | "failed";

/** One request for the service. */
export interface Asked {
  readonly at: number;
  readonly ms: number;
  readonly method: "GET" | "POST";
  readonly ending: Ending;
  /** Of what failed: the status and code, or the error. */
  readonly why?: string;
}

/**
 * What requests may fail under a fault. `nothing`: none. `unsafe`: such as may not be repeated and were with a container that
 * was ended by force. The cut ones are counted apart.
 */
export type MayFail = "nothing" | "unsafe";

/** One fault, from the change before it until all was quiet again. */
export interface Episode {
  readonly fault: string;
  /** Whether an update was under way. */
  readonly updating: boolean;
  readonly from: number;
  readonly faultedAt: number;
  /** When everything was as it is meant to be, and stayed so; absent: not within the time it had. */
  readonly settledAt?: number;
  /** What was there instead. */
  readonly instead?: string;
  /** How many containers may run at once. */
  readonly most: number;
  readonly mayFail: MayFail;
  /** What else was seen that should not be. */
  readonly complaints: readonly string[];
}

/** An event of the outbox about a container, in the order of its service. */
export interface Told {
  readonly type: "container.started.v1" | "container.died.v1";
  readonly containerId: string;
}

/** Everything about one run. */
export interface History {
  readonly episodes: readonly Episode[];
  readonly sightings: readonly Sighting[];
  readonly asked: readonly Asked[];
  readonly told: readonly Told[];
  /** The containers that ran in the end. */
  readonly running: readonly string[];
  /** Lines of the apps' logs about errors that nobody caught. */
  readonly uncaught: readonly string[];
}

/** The episode a moment belongs to: the last one that had begun. */
export function episodeAt(episodes: readonly Episode[], at: number): number | undefined {
  const found = episodes.findLastIndex(({ from }) => from <= at);
  return found < 0 ? undefined : found;
}
