import { type Broker, BROKERS } from "#infra/base/brokers.ts";
/**
 * Holds what the brokers have against what was answered.
 *
 * K1 nothing is lost: what was answered with 2xx is on every broker it belongs to, or a dead letter there with a reason
 * K2 nothing is made up: what is there was posted, under the id it was posted with, and under one id only
 * K3 in order: of a key no event comes for the first time after a later one did
 * K4 outages are apart: while one broker is away, each of the others gets events
 * K5 the way back: the backlog goes, and `/ready` names what is away, and no longer when it is back
 * K6 answers: every request is answered in the end, on the way with 2xx, or 429 or 503 with `Retry-After`
 */
import { BELONGS, type Delivered, type Episode, type History, type Named, nameOf, type Posted } from "./history.ts";

/** One thing that should not be. */
export interface Violation {
  readonly kind: "lost" | "unknown" | "order" | "apart" | "backlog" | "ready" | "answer" | "uncaught";
  /** The episode it belongs to, by its place; absent where that cannot be told. */
  readonly episode?: number;
  /** For people. */
  readonly text: string;
}

/** Everything in a run that breaks a promise; empty when all held. */
export function check(history: History): Violation[] {
  return [
    ...BROKERS.flatMap((broker) => [
      ...lost(history, broker),
      ...unknown(history, broker),
      ...outOfOrder(history, broker),
    ]),
    ...together(history),
    ...undrained(history),
    ...misread(history),
    ...answers(history),
    ...history.uncaught.map((line): Violation => ({ kind: "uncaught", text: `The app logged ${line}` })),
  ];
}

/** The episode a moment belongs to: the last one that had begun. */
export function episodeAt(episodes: readonly Episode[], at: number): number | undefined {
  const found = episodes.findLastIndex(({ from }) => from <= at);
  return found < 0 ? undefined : found;
}

/** The posted events a broker has to have. */
export function dueAt({ posted }: History, broker: Broker): (Posted & { readonly acceptedAt: number })[] {
  return posted.filter(
    (one): one is Posted & { readonly acceptedAt: number } =>
      one.acceptedAt !== undefined && BELONGS[one.stream].includes(broker),
  );
}

/** When each event came to a broker first; `undefined` where the time is not known. */
export function arrivals(delivered: readonly Delivered[]): Map<string, number | undefined> {
  const first = new Map<string, number | undefined>();
  for (const one of delivered) {
    const name = nameOf(one);
    if (!first.has(name)) first.set(name, one.at);
  }
  return first;
}

/** Checker.K1 */
function lost(history: History, broker: Broker): Violation[] {
  const there = new Set(history.delivered[broker].map(nameOf));
  const buried = new Set(
    history.letters.filter((letter) => letter.broker === broker && letter.reason !== "").map(nameOf),
  );
  return dueAt(history, broker)
    .filter((one) => !there.has(nameOf(one)) && !buried.has(nameOf(one)))
    .map((one) => ({
      kind: "lost",
      ...placed(history, one.acceptedAt),
      text: `${broker}: ${nameOf(one)} was answered and is neither there nor a dead letter`,
    }));
}

/** Checker.K2 */
function unknown({ posted, delivered }: History, broker: Broker): Violation[] {
  const known = new Map(posted.map((one) => [nameOf(one), one]));
  const ids = new Map<string, string>();
  const wrong: Violation[] = [];
  const say = (text: string): void => void wrong.push({ kind: "unknown", text: `${broker}: ${text}` });
  for (const one of delivered[broker]) {
    const name = nameOf(one);
    const asked = known.get(name);
    const before = ids.get(name);
    ids.set(name, one.id);
    if (asked === undefined) say(`${name} was never posted, and is there as ${one.id}`);
    else if (asked.id !== undefined && asked.id !== one.id) say(`${name} was posted as ${asked.id}, and is ${one.id}`);
    if (before !== undefined && before !== one.id) say(`${name} is there as ${before} and as ${one.id}`);
  }
  return wrong;
}

/** Checker.K3 */
function outOfOrder(history: History, broker: Broker): Violation[] {
  const accepted = new Map(history.posted.map((one) => [nameOf(one), one.acceptedAt]));
  const seen = new Set<string>();
  const latest = new Map<string, number>();
  const wrong: Violation[] = [];
  for (const one of history.delivered[broker]) {
    const name = nameOf(one);
    if (seen.has(name)) continue;
    seen.add(name);
    const line = `${one.stream}/${one.key}`;
    const last = latest.get(line) ?? 0;
    if (one.n > last) latest.set(line, one.n);
    else
      wrong.push({
        kind: "order",
        ...placed(history, accepted.get(name)),
        text: `${broker}: ${name} comes first after #${last} of its key`,
      });
  }
  return wrong;
}

/** Checker.K4 */
function together(history: History): Violation[] {
  const outages = history.episodes.flatMap((episode, i) =>
    BROKERS.some((broker) => broker === episode.away) ? [{ ...episode, i }] : [],
  );
  return BROKERS.flatMap((broker) => {
    const first = arrivals(history.delivered[broker]);
    const due = dueAt(history, broker);
    return outages.flatMap(({ away, from, back, i }): Violation[] => {
      if (away === broker) return [];
      const within = (at: number | undefined): boolean => at !== undefined && at >= from && at <= back;
      const asked = due.filter(({ acceptedAt }) => within(acceptedAt));
      const text = `${broker}: got nothing for the ${Math.round((back - from) / 1_000)} s that ${away} was away`;
      if (asked.length === 0)
        return [{ kind: "apart", episode: i, text: `Nothing was accepted while ${away} was away` }];
      return asked.some((one) => within(first.get(nameOf(one)))) ? [] : [{ kind: "apart", episode: i, text }];
    });
  });
}

/** Checker.K5 */
function undrained({ episodes }: History): Violation[] {
  return episodes.flatMap(({ fault, drained }, episode): Violation[] =>
    drained === undefined ? [{ kind: "backlog", episode, text: `The backlog of ${fault} did not go` }] : [],
  );
}

/** Checker.K5 */
function misread({ episodes, ready }: History): Violation[] {
  return episodes.flatMap(({ away, from, back }, episode): Violation[] => {
    if (away === undefined) return [];
    const named = ready.some(({ at, down }) => at >= from && at <= back && down.includes(away));
    const next = episodes.slice(episode + 1).find((later) => later.away === away)?.from ?? Number.POSITIVE_INFINITY;
    const well = ready.some(
      ({ at, status, down }) => at >= back && at < next && status === 200 && !down.includes(away),
    );
    return [
      ...(named ? [] : [{ kind: "ready", episode, text: `/ready never said that ${away} is down` } as const]),
      ...(well ? [] : [{ kind: "ready", episode, text: `/ready never said that ${away} is back` } as const]),
    ];
  });
}

/** Checker.K6 */
function answers({ refusals, posted }: History): Violation[] {
  const open = posted.filter(({ acceptedAt }) => acceptedAt === undefined);
  return [
    ...refusals
      .filter(({ status, retryAfter }) => !((status === 429 || status === 503) && retryAfter))
      .map(({ status, count, body }): Violation => ({ kind: "answer", text: `${count} × ${status}: ${body}` })),
    ...open.map((one: Named): Violation => ({ kind: "answer", text: `${nameOf(one)} was never answered` })),
  ];
}

function placed({ episodes }: History, at: number | undefined): { readonly episode?: number } {
  const episode = at === undefined ? undefined : episodeAt(episodes, at);
  return episode === undefined ? {} : { episode };
}
