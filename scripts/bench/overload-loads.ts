import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe, OverloadedError, TroupeError } from "#runtime";
import { Account } from "./account.ts";
import { load, type Measured, percentiles, rssOf, summary } from "./measure.ts";

/** What an overload did. Times in milliseconds. */
export interface Overload {
  readonly normal: Measured;
  /** Of the calls that were admitted, from the try that was. */
  readonly admitted: Measured;
  /** Calls that were told to come again later, a second. */
  readonly turnedAwayPerSecond: number;
  /** By how much memory grew from the second quarter of the overload to its last, in megabytes. */
  readonly grewMb: number;
  readonly after: Measured;
  /** From the end of the overload until the first whole second, each quarter of which was as good as normal. */
  readonly normalAgainMs: number;
}

const ACTORS = 1_000;
/** As good as normal: the noise of one machine is left out. */
const AS_NORMAL = 2;
const SLICE_MS = 250;
/** Slices in the second after which all is as before. */
const CALM_SLICES = 4;
const AFTER_MS = 8_000;

interface Sample {
  readonly at: number;
  readonly latencyMs: number;
}

/**
 * Calls durable turns from `callers` loops, then from ten times as many for `seconds`, then from `callers` again. Who is turned
 * away comes again after the time that he was told.
 */
export async function tenfold(callers: number, seconds: number): Promise<Overload> {
  await using database = await testDatabase("bench_overload");
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  const call = (): Promise<unknown> =>
    troupe.ref(Account, `k${Math.floor(Math.random() * ACTORS)}`).increment({ by: 1 });
  const normal = await load(callers, call, { seconds: 15 });

  const memory: number[] = [];
  const watch = setInterval(() => memory.push(rssOf()), 250);
  const times = new Times();
  const turnedAway = await insist(callers * 10, call, seconds * 1_000, (_, ms) => times.add(ms));
  clearInterval(watch);

  const endedAt = performance.now();
  const later: Sample[] = [];
  await insist(callers, call, AFTER_MS, (at, latencyMs) => later.push({ at, latencyMs }));
  const quarter = Math.floor(memory.length / 4);
  return {
    normal,
    admitted: {
      opsPerSecond: times.count / seconds,
      p50Ms: times.at(0.5),
      p99Ms: times.at(0.99),
      rssMb: Math.max(...memory),
    },
    turnedAwayPerSecond: turnedAway / seconds,
    grewMb: median(memory.slice(-quarter)) - median(memory.slice(quarter, 2 * quarter)),
    after: summary(
      later.map(({ latencyMs }) => latencyMs),
      AFTER_MS / 1_000,
    ),
    normalAgainMs: settledAfter(later, endedAt, normal.p99Ms * AS_NORMAL),
  };
}

/** Calls without end until `ms` are over, and waits for what is under way. Returns how often somebody was turned away. */
async function insist(
  callers: number,
  call: () => Promise<unknown>,
  ms: number,
  answered: (at: number, latencyMs: number) => void,
): Promise<number> {
  const until = performance.now() + ms;
  let turnedAway = 0;
  const loop = async (): Promise<void> => {
    for (;;) {
      const at = performance.now();
      if (at >= until) return;
      try {
        await call();
        answered(at, performance.now() - at);
      } catch (error) {
        if (!(error instanceof TroupeError) || !error.retryable) throw error;
        turnedAway++;
        await Bun.sleep(error instanceof OverloadedError ? error.retryAfterMs : 100);
      }
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return turnedAway;
}

/** Counts of times by tenths of a millisecond: as many as come, in memory that does not grow. */
class Times {
  count = 0;
  readonly #counts = new Uint32Array(100_000);

  add(ms: number): void {
    const tenth = Math.min(this.#counts.length - 1, Math.ceil(ms * 10));
    this.#counts[tenth] = (this.#counts[tenth] ?? 0) + 1;
    this.count++;
  }

  at(share: number): number {
    let left = this.count * share;
    return this.#counts.findIndex((count) => (left -= count) <= 0) / 10;
  }
}

/**
 * How long after `since` the first second began whose slices all were as good as `limitMs`, at the 99th percentile. One that
 * is slow later is the machine's: such stand in the normal load too. Infinity where there was none.
 */
function settledAfter(samples: readonly Sample[], since: number, limitMs: number): number {
  const slices = Map.groupBy(samples, ({ at }) => Math.floor((at - since) / SLICE_MS));
  const good = (index: number): boolean =>
    percentiles((slices.get(index) ?? []).map(({ latencyMs }) => latencyMs)).p99Ms <= limitMs && slices.has(index);
  for (let from = 0; from + CALM_SLICES <= AFTER_MS / SLICE_MS; from++)
    if (Array.from({ length: CALM_SLICES }, (_, i) => from + i).every(good)) return from * SLICE_MS;
  return Number.POSITIVE_INFINITY;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
