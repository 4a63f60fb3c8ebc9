import { describe, expect, test } from "bun:test";
import type { Recurrence } from "../actor/recurrence.ts";
import { followingTick, isSkipped, MAX_LATE_TICKS, scheduleOf, tickAfter } from "./schedule.ts";

const at = Date.parse;
const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString().slice(0, 16);

function ticks(recurrence: Recurrence, from: string, count: number): (string | undefined)[] {
  const schedule = scheduleOf(recurrence);
  const found: (string | undefined)[] = [];
  for (let time: number | undefined = at(from); found.length < count && time !== undefined;) {
    time = tickAfter(schedule, time, time);
    found.push(iso(time));
  }
  return found;
}

describe("scheduleOf()", () => {
  test("refuses patterns, zones, periods and policies that cannot be, and names them", () => {
    const bad: [unknown, string][] = [
      [{ cron: "61 * * * *" }, "61 * * * *"],
      [{ cron: "* * * *" }, "* * * *"],
      [{ cron: "" }, '""'],
      [{ cron: "2027-01-01T00:00:00" }, "2027-01-01"],
      [{ cron: 5 }, '"5"'],
      [{ cron: "@never" }, "@never"],
      [{ cron: "0 9 * * *", zone: "Mars/Base" }, "Mars/Base"],
      [{ every: "soon" }, "soon"],
      [{ every: 0 }, "every 0"],
      [{ every: -5 }, "-5"],
      [{ every: Number.NaN }, "NaN"],
      [{ every: "1m", missed: "maybe" }, "maybe"],
    ];
    for (const [given, named] of bad) {
      let thrown: unknown;
      try {
        scheduleOf(given as Recurrence);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(TypeError);
      expect((thrown as TypeError).message).toContain(named);
    }
  });
});

describe("tickAfter()", () => {
  test("reads a pattern in its time zone, summer and winter", () => {
    expect(ticks({ cron: "0 9 * * 1-5", zone: "Europe/Berlin" }, "2026-03-27T00:00:00Z", 2)).toEqual([
      "2026-03-27T08:00",
      "2026-03-30T07:00",
    ]);
    expect(ticks({ cron: "0 9 * * *" }, "2026-03-27T00:00:00Z", 1)).toEqual(["2026-03-27T09:00"]);
  });

  test("a fixed time that does not exist comes right after the gap, on the same day", () => {
    expect(ticks({ cron: "30 2 * * *", zone: "Europe/Berlin" }, "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  test("a fixed time that occurs twice comes once, the first time", () => {
    expect(ticks({ cron: "30 2 * * *", zone: "Europe/Berlin" }, "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("a pattern with steps keeps its pace through a gap and a repeated hour", () => {
    expect(ticks({ cron: "*/30 * * * *", zone: "Europe/Berlin" }, "2026-03-29T00:29:00Z", 3)).toEqual([
      "2026-03-29T00:30",
      "2026-03-29T01:00",
      "2026-03-29T01:30",
    ]);
    expect(ticks({ cron: "*/30 * * * *", zone: "Europe/Berlin" }, "2026-10-25T00:29:00Z", 4)).toEqual([
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
      "2026-10-25T02:00",
    ]);
  });

  test("a pattern that never comes has no tick", () => {
    expect(tickAfter(scheduleOf({ cron: "0 0 30 2 *" }), 0, 0)).toBeUndefined();
  });

  test("a period stays on its grid, however late it is looked at", () => {
    const schedule = scheduleOf({ every: "15m" });
    expect(iso(tickAfter(schedule, at("2026-01-01T00:00Z"), at("2026-01-01T00:00Z")))).toBe("2026-01-01T00:15");
    expect(iso(tickAfter(schedule, at("2026-01-01T00:00Z"), at("2026-01-01T02:14Z")))).toBe("2026-01-01T02:15");
    expect(iso(tickAfter(schedule, at("2026-01-01T00:00Z"), at("2026-01-01T02:15Z")))).toBe("2026-01-01T02:30");
  });
});

describe("followingTick()", () => {
  const due = at("2026-01-01T00:00Z");
  const text = (missed: "once" | "all" | "skip"): string => JSON.stringify(scheduleOf({ every: "1h", missed }));

  test("never gives the same tick again, even when the clock was set back", () => {
    expect(iso(followingTick(text("once"), due, due - 7_200_000)?.dueAt)).toBe("2026-01-01T01:00");
    expect(iso(followingTick(text("all"), due, due - 7_200_000)?.dueAt)).toBe("2026-01-01T01:00");
    const hourly = JSON.stringify(scheduleOf({ cron: "0 * * * *" }));
    expect(iso(followingTick(hourly, due, due - 7_200_000)?.dueAt)).toBe("2026-01-01T01:00");
  });

  test("once leaves missed ticks behind, all takes each", () => {
    const now = at("2026-01-01T05:30Z");
    expect(iso(followingTick(text("once"), due, now)?.dueAt)).toBe("2026-01-01T06:00");
    expect(iso(followingTick(text("all"), due, now)?.dueAt)).toBe("2026-01-01T01:00");
  });

  test("all stops after so many late ticks, and begins to count anew when it has caught up", () => {
    const now = due + 5_000 * 3_600_000;
    let [schedule, dueAt, told] = [text("all"), due, 1];
    for (;;) {
      const next = followingTick(schedule, dueAt, now);
      if (next === undefined || next.overrun) {
        expect(next?.dueAt).toBe(now + 3_600_000);
        expect(next?.schedule).toBe(text("all"));
        break;
      }
      ({ schedule, dueAt } = next);
      told++;
    }
    expect(told).toBe(MAX_LATE_TICKS);
  });
});

test("isSkipped() passes over a tick that is a minute late, or whose next one is due too", () => {
  const hourly = JSON.stringify(scheduleOf({ every: "1h", missed: "skip" }));
  expect(isSkipped(hourly, 0, 60_000)).toBe(false);
  expect(isSkipped(hourly, 0, 60_001)).toBe(true);
  const often = JSON.stringify(scheduleOf({ every: "2s", missed: "skip" }));
  expect(isSkipped(often, 0, 1_999)).toBe(false);
  expect(isSkipped(often, 0, 2_000)).toBe(true);
  expect(isSkipped(JSON.stringify(scheduleOf({ every: "1s" })), 0, 1e9)).toBe(false);
});
