/**
 * Holds a run of faults on services against what is promised. Pure: the same history gives the same verdict.
 *
 * C1 converges: after each fault exactly the replicas of the right revision run, and the service says so
 * C2 bounded: at no moment more containers run than replicas, surge and canary together
 * C3 one of a slot: no replica of a revision runs twice
 * C4 requests: none fails but those that nobody could have saved
 * C5 lives: each start of a container that is told has one end, and what runs is what has not ended
 * C6 what a fault itself looks at holds (healthy old replicas untouched, strangers left alone), and nothing goes uncaught
 */
import { type Asked, episodeAt, type Episode, type History, type Sighting } from "./history.ts";

/** One thing that should not be. */
export interface Violation {
  readonly kind: "unsettled" | "too many" | "twice" | "request" | "life" | "complaint" | "uncaught";
  /** The episode it belongs to, by its place; absent where that cannot be told. */
  readonly episode?: number;
  /** For people. */
  readonly text: string;
}

/** Everything in a run that breaks a promise; empty when all held. */
export function check(history: History): Violation[] {
  const { episodes, sightings, asked, uncaught } = history;
  return [
    ...episodes.flatMap(unsettled),
    ...sightings.flatMap((one) => crowded(episodes, one)),
    ...asked.flatMap((one) => failed(episodes, one)),
    ...lives(history),
    ...episodes.flatMap(({ fault, complaints }, episode) =>
      complaints.map((text): Violation => ({ kind: "complaint", episode, text: `${fault}: ${text}` })),
    ),
    ...uncaught.map((line): Violation => ({ kind: "uncaught", text: `The app logged ${line}` })),
  ];
}

/** Checker.C1 */
function unsettled({ fault, settledAt, instead }: Episode, episode: number): Violation[] {
  return settledAt === undefined
    ? [{ kind: "unsettled", episode, text: `${fault}: it never settled: ${instead ?? "nobody knows why"}` }]
    : [];
}

/** Checker.C2, Checker.C3 */
function crowded(episodes: readonly Episode[], { at, running }: Sighting): Violation[] {
  const episode = episodeAt(episodes, at);
  const of = episode === undefined ? undefined : episodes[episode];
  if (episode === undefined || of === undefined) return [];
  const when = `${((at - of.from) / 1_000).toFixed(1)} s after its beginning`;
  const found: Violation[] = [];
  if (running.length > of.most)
    found.push({
      kind: "too many",
      episode,
      text: `${of.fault}: ${running.length} containers ran ${when}, ${of.most} may`,
    });
  const slots = Map.groupBy(running, ({ revision, replica }) => `${revision}/${replica}`);
  for (const [slot, those] of slots)
    if (those.length > 1)
      found.push({
        kind: "twice",
        episode,
        text: `${of.fault}: ${slot} ran ${those.length} times ${when}, on ${those.map(({ host }) => host).join(" and ")}`,
      });
  return found;
}

/** Checker.C4 */
function failed(episodes: readonly Episode[], { at, ms, method, ending, why }: Asked): Violation[] {
  if (ending !== "failed") return [];
  const episode = episodeAt(episodes, at);
  const of = episode === undefined ? undefined : episodes[episode];
  if (of?.mayFail === "unsafe" && method === "POST") return [];
  const text = `${of?.fault ?? "before the first fault"}: a ${method} failed after ${Math.round(ms)} ms: ${why ?? "?"}`;
  return [{ kind: "request", ...(episode === undefined ? {} : { episode }), text }];
}

/** Checker.C5 */
function lives({ told, running }: History): Violation[] {
  const found: Violation[] = [];
  const open = new Set<string>();
  for (const { type, containerId } of told) {
    const id = containerId.slice(0, 12);
    if (type === "container.started.v1") {
      if (open.has(containerId)) found.push({ kind: "life", text: `${id} was told to have started twice in a row` });
      open.add(containerId);
    } else if (!open.delete(containerId)) {
      found.push({ kind: "life", text: `${id} was told to have died, and no start came before` });
    }
  }
  for (const id of running)
    if (!open.delete(id)) found.push({ kind: "life", text: `${id.slice(0, 12)} runs, and no start was told` });
  for (const id of open) found.push({ kind: "life", text: `${id.slice(0, 12)} is gone, and no end was told` });
  return found;
}
