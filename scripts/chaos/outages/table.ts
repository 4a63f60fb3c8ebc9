import { type Broker, BROKERS } from "#infra/base/brokers.ts";
/** What a run came to, in numbers: a row per fault, and how long events took to each broker meanwhile. */
import { arrivals, dueAt, episodeAt, type Violation } from "./checker.ts";
import { type Delivered, type Episode, type History, nameOf } from "./history.ts";

/** One fault, in numbers. */
export interface FaultRow {
  readonly fault: string;
  /** How long it lasted, in seconds, until all was back. */
  readonly seconds: number;
  /** Requests that were answered with 2xx from its beginning until the next one's. */
  readonly acked: number;
  /** Messages that the brokers should have for these, each broker's counted. */
  readonly due: number;
  readonly lost: number;
  /** Messages that were on a broker already, under the same id. */
  readonly repeats: number;
  readonly orderBreaks: number;
  /** The longest that a broker which was there got nothing, in seconds. */
  readonly longestGap: number;
  /** From the return until all that had been answered before it was on the brokers. */
  readonly drainSeconds: number | undefined;
}

/** From the request that was answered with 2xx until a broker had its event, the commit included, while a fault lasted. */
export interface DelayRow {
  readonly fault: string;
  readonly broker: Broker;
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The rows of all faults; several of the same name are one row. */
export function faultRows(history: History, violations: readonly Violation[]): FaultRow[] {
  const { episodes } = history;
  const times = BROKERS.map((broker) => ({
    broker,
    due: dueAt(history, broker),
    first: arrivals(history.delivered[broker]),
    repeats: repeatsOf(history, broker),
  }));
  const rows = episodes.map((episode, i): FaultRow => {
    const mine = (at: number): boolean => episodeAt(episodes, at) === i;
    const there = times.filter(({ broker }) => broker !== episode.away);
    return {
      fault: episode.fault,
      seconds: (episode.back - episode.from) / 1_000,
      acked: history.posted.filter(({ acceptedAt }) => acceptedAt !== undefined && mine(acceptedAt)).length,
      due: sum(times.map(({ due }) => due.filter(({ acceptedAt }) => mine(acceptedAt)).length)),
      lost: violations.filter(({ kind, episode: at }) => kind === "lost" && at === i).length,
      repeats: sum(times.map(({ repeats }) => repeats.filter(mine).length)),
      orderBreaks: violations.filter(({ kind, episode: at }) => kind === "order" && at === i).length,
      longestGap: Math.max(0, ...there.map(({ first }) => longestGap([...first.values()], episode))) / 1_000,
      drainSeconds: episode.drained === undefined ? undefined : drainMs(times, episode) / 1_000,
    };
  });
  return [...Map.groupBy(rows, ({ fault }) => fault).values()].map(merged);
}

/** How long events took to the brokers that were not away. */
export function delayRows(history: History): DelayRow[] {
  const { episodes } = history;
  const faults = [...new Set(episodes.map(({ fault }) => fault))];
  const times = BROKERS.map((broker) => ({
    broker,
    due: dueAt(history, broker),
    first: arrivals(history.delivered[broker]),
  }));
  return faults.flatMap((fault) => {
    const those = episodes.filter((episode) => episode.fault === fault);
    return times.flatMap(({ broker, due, first }): DelayRow[] => {
      if (those.some(({ away }) => away === broker)) return [];
      const delays = due.flatMap((one) => {
        const inside = those.some(({ from, back }) => one.acceptedAt >= from && one.acceptedAt <= back);
        const at = inside ? first.get(nameOf(one)) : undefined;
        // An earlier try may have done it, and this one have heard so.
        return at === undefined ? [] : [Math.max(0, at - (one.askedAt ?? one.acceptedAt))];
      });
      if (delays.length === 0) return [];
      delays.sort((a, b) => a - b);
      return [{ fault, broker, events: delays.length, p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99) }];
    });
  });
}

/** A markdown table. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** When messages came that were there already: at the time their event was accepted, as repeats carry no better one. */
function repeatsOf({ delivered, posted }: History, broker: Broker): number[] {
  const accepted = new Map(posted.map((one) => [nameOf(one), one.acceptedAt]));
  const seen = new Set<string>();
  return delivered[broker].flatMap((one: Delivered) => {
    const name = nameOf(one);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [one.at ?? accepted.get(name) ?? 0];
  });
}

function longestGap(times: readonly (number | undefined)[], { from, back, drained }: Episode): number {
  const end = drained ?? back;
  const inside = times.filter((at): at is number => at !== undefined && at > from && at < end);
  inside.sort((a, b) => a - b);
  return Math.max(...[...inside, end].map((at, i) => at - (inside[i - 1] ?? from)));
}

function drainMs(
  times: readonly { readonly due: ReturnType<typeof dueAt>; readonly first: ReadonlyMap<string, number | undefined> }[],
  { from, back }: Episode,
): number {
  let last = back;
  for (const { due, first } of times)
    for (const one of due)
      if (one.acceptedAt >= from && one.acceptedAt <= back) last = Math.max(last, first.get(nameOf(one)) ?? 0);
  return last - back;
}

function merged(rows: readonly FaultRow[]): FaultRow {
  const drains = rows.map(({ drainSeconds }) => drainSeconds);
  const total = (of: (row: FaultRow) => number): number => sum(rows.map(of));
  return {
    fault: `${rows[0]?.fault}${rows.length > 1 ? ` ×${rows.length}` : ""}`,
    seconds: total(({ seconds }) => seconds),
    acked: total(({ acked }) => acked),
    due: total(({ due }) => due),
    lost: total(({ lost }) => lost),
    repeats: total(({ repeats }) => repeats),
    orderBreaks: total(({ orderBreaks }) => orderBreaks),
    longestGap: Math.max(...rows.map((row) => row.longestGap)),
    drainSeconds: drains.includes(undefined) ? undefined : Math.max(...drains.map((some) => some ?? 0)),
  };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}
