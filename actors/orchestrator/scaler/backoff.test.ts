import { describe, expect, test } from "bun:test";
import { afterEnd, afterFailedStart, type End, FRESH_SLOT, GOOD_AFTER_MS } from "./backoff.ts";
import type { Slot } from "./messages.ts";

/** The pauses, in seconds, of a slot whose container ends again and again in the same way. */
function pauses(end: End, times: number): number[] {
  let slot: Slot = FRESH_SLOT;
  return Array.from({ length: times }, () => {
    slot = afterEnd(slot, end, 0);
    return slot.retryAt / 1_000;
  });
}
const end = (ranMs: number, exitCode: number | null = 1): End => ({ ranMs, exitCode, oomKilled: false });

describe("afterEnd() pauses", () => {
  test("longer each time after a short run, up to 30 s", () => {
    expect(pauses(end(50), 8)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  test("also where each run lasts 11 s", () => {
    expect(pauses(end(11_000), 7)).toEqual([0, 1, 2, 4, 8, 16, 30]);
  });

  test("also where it is killed after 1.2 s fifty times, but not for the first three", () => {
    expect(pauses(end(1_200, 137), 50).slice(0, 7)).toEqual([0, 0, 0, 1, 2, 4, 8]);
    expect(pauses(end(1_200, 137), 50).at(-1)).toBe(30);
    expect(pauses({ ...end(5_000, 137), oomKilled: true }, 3)).toEqual([1, 2, 4]);
  });

  test("not at all after ten good minutes", () => {
    const looping: Slot = { ...FRESH_SLOT, streak: 6, failures: 6 };
    expect(afterEnd(looping, end(GOOD_AFTER_MS), 0)).toMatchObject({ retryAt: 0, streak: 1, failures: 1 });
  });
});

test("afterEnd() blames a revision for its own ends, not for kills from outside", () => {
  expect(afterEnd(FRESH_SLOT, end(1_200, 137), 0)).toMatchObject({ streak: 1, failures: 0, restarts: 1, error: null });
  expect(afterEnd(FRESH_SLOT, end(5_000, 3), 0)).toMatchObject({ failures: 1, error: { code: "exited" } });
  expect(afterEnd(FRESH_SLOT, { ...end(60_000, 137), unhealthy: true }, 0)).toMatchObject({ failures: 1 });
});

test("afterFailedStart() pauses longer each time and keeps why", () => {
  const error = { code: "port_taken", message: "in use" };
  const twice = afterFailedStart(afterFailedStart(FRESH_SLOT, error, 0), error, 0);
  expect(twice).toMatchObject({ retryAt: 2_000, failures: 2, error });
});
