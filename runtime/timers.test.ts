import { expect, test } from "bun:test";
import { systemRandomness } from "./randomness.ts";
import { TimerService } from "./timers.ts";

test("TimerService.written() leaves the timers of a partition that has moved meanwhile to its next owner", () => {
  const timer = { type: "alarm", key: "a", name: "ring", message: "ring", input: undefined, dueAt: 5 };
  const service = new TimerService({
    clock: { now: () => 0, monotonic: () => 0, after: () => () => undefined },
    randomness: systemRandomness,
    read: () => Promise.resolve([]),
    owned: () => [1],
    holds: (partition) => partition === 1,
    fire: () => Promise.resolve(),
    afterFailure: () => Promise.resolve("retry"),
    failed: () => undefined,
  });
  service.written([
    { ...timer, partition: 1 },
    { ...timer, key: "b", partition: 2 },
  ]);
  expect(service.isCurrent({ type: "alarm", key: "a" }, "ring", 5)).toBe(true);
  expect(service.isCurrent({ type: "alarm", key: "b" }, "ring", 5)).toBe(false);
});
