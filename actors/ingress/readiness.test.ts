import { expect, test } from "bun:test";
import { type Component, readinessOf } from "./readiness.ts";

const component = (given: Partial<Component>): Component => ({
  name: "nats",
  address: "nats://h",
  needed: true,
  fix: "start it",
  check: async () => undefined,
  ...given,
});
const down = async (): Promise<void> => {
  throw new Error("refused");
};

test("a needed component that is down makes the whole unavailable, and says what to do", async () => {
  const { status, components } = await readinessOf([component({ check: down })])();
  expect(status).toBe("unavailable");
  expect(components).toEqual([{ name: "nats", status: "down", address: "nats://h", how: "start it" }]);
});

test("a component that is not needed, or has no address, does not", async () => {
  const ready = readinessOf([
    component({ needed: false, check: down }),
    component({ address: null, check: down }),
    component({}),
  ]);
  const { status, components } = await ready();
  expect(status).toBe("ready");
  expect(components.map((c) => c.status)).toEqual(["down", "absent", "up"]);
});

test("a check that hangs counts as down at its deadline, and the others do not wait in line", async () => {
  const hanging = component({ check: () => new Promise(() => undefined) });
  const started = performance.now();
  const { components } = await readinessOf([hanging, hanging, hanging], { deadlineMs: 300 })();
  expect(components.map((c) => c.status)).toEqual(["down", "down", "down"]);
  expect(performance.now() - started).toBeLessThan(850);
});

test("an answer is shared and kept for a while, then asked for again", async () => {
  let now = 0;
  let checks = 0;
  const ready = readinessOf([component({ check: async () => void checks++ })], { now: () => now });
  await Promise.all([ready(), ready()]);
  now = 999;
  await ready();
  expect(checks).toBe(1);
  now = 1_000;
  await ready();
  expect(checks).toBe(2);
});

test("an error that knows better what to do says it", async () => {
  const blocked = Object.assign(new Error("blocked"), { remedy: "free some memory" });
  const { components } = await readinessOf([component({ check: () => Promise.reject(blocked) })])();
  expect(components).toMatchObject([{ status: "down", how: "free some memory" }]);
});
