import { expect, test } from "bun:test";
import { ManualClock } from "#runtime/testing";

test("ManualClock.advance() runs what is due at its own time, the earliest first, and what that sets in turn", async () => {
  const clock = new ManualClock(1_000);
  const seen: string[] = [];
  const note = (name: string) => seen.push(`${name} at ${clock.now()}`);
  clock.after(20, () => note("second"));
  clock.after(10, () => {
    note("first");
    clock.after(15, () => note("third"));
    clock.after(500, () => note("never"));
  });
  await clock.advance("50ms");
  expect(seen).toEqual(["first at 1010", "second at 1020", "third at 1025"]);
  expect(clock.now()).toBe(1_050);
  expect(clock.monotonic()).toBe(1_050);
});

test("ManualClock.after() can be taken back, also by what runs at the same time", async () => {
  const clock = new ManualClock();
  const seen: string[] = [];
  clock.after(5, () => cancel());
  const cancel = clock.after(5, () => seen.push("cancelled"));
  clock.after(0, () => seen.push("now"));
  await clock.advance(10);
  expect(seen).toEqual(["now"]);
});

test("ManualClock.advance() waits for what a task sets off through the event loop, and runs what that sets", async () => {
  const clock = new ManualClock(0);
  const seen: number[] = [];
  clock.after(5, () => {
    setImmediate(() => setImmediate(() => clock.after(5, () => seen.push(clock.now()))));
  });
  await clock.advance("20ms");
  expect(seen).toEqual([10]);
});
