/** Whether this machine's clock goes as Postgres' does: what nodes that differ in it do is in `infra/docs/cluster.md`. */
import { withConnection } from "#infra/stack/postgres.ts";
import type { Finding } from "./finding.ts";
import type { KnownServers } from "./servers.ts";

/** One question for the time, in milliseconds since the epoch: asked and answered by the clock here, between them the server's. */
export interface ClockReading {
  readonly askedAt: number;
  readonly theirs: number;
  readonly answeredAt: number;
}

/** Clocks of nodes and servers may differ by less. */
export const CLOCKS_MAY_DIFFER_MS = 500;
const READINGS = 5;
const FIX =
  "let NTP set both clocks: timedatectl set-ntp true (or chronyd), here and where PostgreSQL runs; restart the app afterwards";

/** Compares the clocks. Empty where no Postgres runs. `now` is the clock here. */
export async function inspectClock(known: KnownServers, now: () => number = Date.now): Promise<Finding[]> {
  const url = known.postgres?.["DATABASE_URL"];
  if (url === undefined) return [];
  try {
    const readings = await withConnection(url, async (sql) => {
      const taken: ClockReading[] = [];
      for (let i = 0; i < READINGS; i++) {
        const askedAt = now();
        const [row] = await sql<{ at: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as at`;
        taken.push({ askedAt, theirs: row?.at ?? Number.NaN, answeredAt: now() });
      }
      return taken;
    });
    return [clockFinding(readings)];
  } catch (error) {
    const detail = `cannot be compared: ${error instanceof Error ? error.message : String(error)}`;
    return [{ area: "clock", name: "clock", status: "off", detail }];
  }
}

/** The difference that the quickest answer shows: its uncertainty is half the time it took. */
export function clockFinding(readings: readonly ClockReading[]): Finding {
  const [quickest] = readings.toSorted((a, b) => tookMs(a) - tookMs(b));
  const base = { area: "clock", name: "clock" } as const;
  if (quickest === undefined) return { ...base, status: "off", detail: "was not read" };
  const aheadMs = (quickest.askedAt + quickest.answeredAt) / 2 - quickest.theirs;
  const unsureMs = tookMs(quickest) / 2;
  const difference = `${Math.round(Math.abs(aheadMs))} ms (± ${Math.ceil(unsureMs)})`;
  if (Math.abs(aheadMs) - unsureMs <= CLOCKS_MAY_DIFFER_MS) {
    return {
      ...base,
      status: "ok",
      detail: `differs from PostgreSQL's by ${difference}, may by ${CLOCKS_MAY_DIFFER_MS}`,
    };
  }
  const detail = `is ${difference} ${aheadMs > 0 ? "ahead of" : "behind"} PostgreSQL's: timers fire ${aheadMs > 0 ? "early" : "late"} by as much, and what is kept for a time is kept ${aheadMs > 0 ? "shorter" : "longer"}`;
  return { ...base, status: "bad", detail, fix: FIX };
}

function tookMs({ askedAt, answeredAt }: ClockReading): number {
  return Math.max(0, answeredAt - askedAt);
}
