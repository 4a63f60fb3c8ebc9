import { expect, test } from "bun:test";
import { CursorTracker } from "./cursor-tracker.ts";

test("a cursor stands before the first record that was not acknowledged, whatever came after it", () => {
  const tracker = new CursorTracker(1, 10);
  for (const seq of [11, 12, 14]) tracker.offered(seq);
  expect(tracker.cursor).toBe(10);
  tracker.acked(12);
  expect(tracker.cursor).toBe(10);
  tracker.acked(11);
  expect(tracker.cursor).toBe(13);
  tracker.acked(14);
  expect(tracker.cursor).toBe(14);
});

test("a cursor is taken to be saved once, and again after a save that failed", () => {
  const tracker = new CursorTracker(1, 0);
  tracker.offered(1);
  expect(tracker.takeUnsaved()).toBeUndefined();
  tracker.acked(1);
  expect(tracker.takeUnsaved()).toBe(1);
  expect(tracker.takeUnsaved()).toBeUndefined();
  tracker.saveFailed();
  expect(tracker.takeUnsaved()).toBe(1);
});

test("acknowledging thousands out of order ends at the last one", () => {
  const tracker = new CursorTracker(1, 0);
  const seqs = Array.from({ length: 5_000 }, (_, i) => i + 1);
  for (const seq of seqs) tracker.offered(seq);
  for (const seq of seqs.toReversed()) tracker.acked(seq);
  expect(tracker.cursor).toBe(5_000);
});
