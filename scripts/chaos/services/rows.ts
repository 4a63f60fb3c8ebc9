/** What a run came to, in numbers: a row per fault. */
import { type Asked, type Ending, type Episode, episodeAt, type History, type Sighting } from "./history.ts";

/** How many requests ended how. */
export type EndingCounts = Readonly<Record<Ending, number>>;

/** One fault, however often it came. */
export interface FaultRow {
  readonly fault: string;
  readonly times: number;
  /** How often an update was under way. */
  readonly updating: number;
  /** The most containers that ran at once, and how many might. */
  readonly ran: number;
  readonly most: number;
  /** From the fault until all was as it is meant to be, in seconds; the longest. `undefined`: it never was. */
  readonly settledSeconds: number | undefined;
  readonly requests: EndingCounts;
  /** The longest that a request waited for its answer, in milliseconds. */
  readonly slowestMs: number;
}

/** The rows of all faults; several of the same name are one row. */
export function faultRows({
  episodes,
  sightings,
  asked,
}: Pick<History, "episodes" | "sightings" | "asked">): FaultRow[] {
  const names = [...new Set(episodes.map(({ fault }) => fault))];
  return names.map((fault): FaultRow => {
    const mine = (at: number): boolean => episodes[episodeAt(episodes, at) ?? -1]?.fault === fault;
    const those = episodes.filter((episode) => episode.fault === fault);
    const times = those.map(({ settledAt, faultedAt }) => (settledAt ?? Number.NaN) - faultedAt);
    const requests = asked.filter(({ at }) => mine(at));
    const worst = Math.max(...times);
    return {
      fault,
      times: those.length,
      updating: those.filter(({ updating }) => updating).length,
      ran: Math.max(0, ...those.map((episode) => mostIn(episodes, episode, sightings))),
      most: Math.max(...those.map(({ most }) => most)),
      settledSeconds: Number.isNaN(worst) ? undefined : Math.max(0, worst) / 1_000,
      requests: endingsOf(requests),
      slowestMs: requests.reduce((most, { ms }) => Math.max(most, ms), 0),
    };
  });
}

/** The most that ran at once in an episode; what was seen last before it began ran on. */
function mostIn(episodes: readonly Episode[], episode: Episode, sightings: readonly Sighting[]): number {
  const until = episodes[episodes.indexOf(episode) + 1]?.from ?? Number.POSITIVE_INFINITY;
  return sightings.reduce((most, { at, running }, i) => {
    const next = sightings[i + 1]?.at ?? Number.POSITIVE_INFINITY;
    return at < until && next > episode.from ? Math.max(most, running.length) : most;
  }, 0);
}

/** How requests ended. */
export function endingsOf(asked: readonly Asked[]): EndingCounts {
  const counts = { ok: 0, asked: 0, cut: 0, failed: 0 };
  for (const { ending } of asked) counts[ending]++;
  return counts;
}
