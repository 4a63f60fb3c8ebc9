/**
 * When a recurring timer ticks. A schedule is stored as JSON beside its timer, so that whoever owns the actor next goes
 * on with it.
 *
 * In a time zone croner's rules hold, which are Vixie cron's: a fixed time that does not exist on a day (clocks go
 * forward) ticks right after the gap, one that occurs twice ticks the first time; a pattern with a step, list, range or
 * `*` in its hours or minutes skips the gap, and ticks in both passes of the repeated hour.
 */
import { Cron } from "croner";
import type { MissedTicks, Recurrence } from "../actor/recurrence.ts";
import { durationMs } from "../base/duration.ts";

/** A schedule as it is stored. */
export type Schedule = (
  | { readonly cron: string; readonly zone: string }
  /** Milliseconds between ticks. */
  | { readonly every: number }
) & {
  readonly missed: MissedTicks;
  /** Ticks in a row that were told late, for `missed: "all"`; left out when there are none. */
  readonly late?: number;
};

/** Late ticks of `missed: "all"` in a row; those beyond it are skipped. */
export const MAX_LATE_TICKS = 1_000;
/** A tick found later than this was missed, for `missed: "skip"`. */
const GRACE_MS = 60_000;

/**
 * Checks a recurrence and gives the schedule to store.
 * @throws {TypeError} a pattern, zone, period or policy that cannot be; names the value.
 */
export function scheduleOf(recurrence: Recurrence): Schedule {
  const missed = recurrence.missed ?? "once";
  if (missed !== "once" && missed !== "all" && missed !== "skip") {
    throw new TypeError(`Cannot take "${String(missed)}" for "missed": expected "once", "all" or "skip"`);
  }
  if ("every" in recurrence) {
    const { every } = recurrence;
    const ms = Math.round(typeof every === "number" ? every : durationMs(every));
    if (!(ms >= 1 && Number.isSafeInteger(ms)))
      throw new TypeError(`Cannot tick every ${every}: expected a millisecond or more`);
    return { every: ms, missed };
  }
  const { cron, zone = "UTC" } = recurrence;
  checkZone(zone);
  // Anything else croner might read as a date, which is no recurrence.
  const fields = typeof cron === "string" ? cron.trim().split(/\s+/).length : 0;
  if (fields !== 5 && fields !== 6 && !/^@[a-z]+$/i.test(String(cron))) {
    throw new TypeError(`Cannot read the cron pattern "${cron}": expected five fields, or six with seconds first`);
  }
  try {
    cronOf(cron, zone);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`Cannot read the cron pattern "${cron}": ${why}`, { cause });
  }
  return { cron, zone, missed };
}

/** The first tick after a moment; `undefined` when there is none any more. For `every`, `from` is a tick before it. */
export function tickAfter(schedule: Schedule, from: number, after: number): number | undefined {
  if ("every" in schedule) return from + Math.max(1, Math.floor((after - from) / schedule.every) + 1) * schedule.every;
  return cronOf(schedule.cron, schedule.zone).nextRun(new Date(after))?.getTime();
}

/** Whether `missed: "skip"` passes over a tick: it is more than a minute late, or the next one is due as well. */
export function isSkipped(text: string, dueAt: number, now: number): boolean {
  const schedule = JSON.parse(text) as Schedule;
  if (schedule.missed !== "skip") return false;
  return now - dueAt > GRACE_MS || (tickAfter(schedule, dueAt, dueAt) ?? Number.POSITIVE_INFINITY) <= now;
}

/** The tick that follows a handled one. */
export interface FollowingTick {
  readonly dueAt: number;
  readonly schedule: string;
  /** Late ticks were skipped because there were more than {@link MAX_LATE_TICKS}. */
  readonly overrun: boolean;
}

/** What comes after the tick `dueAt`, which is handled at `now`; `undefined` when that was the last. */
export function followingTick(text: string, dueAt: number, now: number): FollowingTick | undefined {
  const { late = 0, ...schedule } = JSON.parse(text) as Schedule;
  // A clock that was set back does not bring a tick twice.
  const latest = Math.max(now, dueAt);
  const next = tickAfter(schedule, dueAt, schedule.missed === "all" ? dueAt : latest);
  if (next === undefined) return undefined;
  if (next > latest) return { dueAt: next, schedule: JSON.stringify(schedule), overrun: false };
  if (late + 1 < MAX_LATE_TICKS) {
    return { dueAt: next, schedule: JSON.stringify({ ...schedule, late: late + 1 }), overrun: false };
  }
  const future = tickAfter(schedule, dueAt, latest);
  return future === undefined ? undefined : { dueAt: future, schedule: JSON.stringify(schedule), overrun: true };
}

/** Parsed patterns: thousands of timers share a few. */
const patterns = new Map<string, Cron>();
const MAX_PATTERNS = 1_000;

function cronOf(pattern: string, zone: string): Cron {
  const id = `${zone}\u0000${pattern}`;
  let cron = patterns.get(id);
  if (cron === undefined) {
    cron = new Cron(pattern, { timezone: zone, paused: true });
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(id, cron);
  }
  return cron;
}

function checkZone(zone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch (cause) {
    throw new TypeError(`Cannot find the time zone "${zone}": expected an IANA name, as in "Europe/Berlin"`, { cause });
  }
}
