import { expect, test } from "bun:test";
import { sayingOf, type Step } from "./sayings.ts";

const step: Step = {
  ...{ at: "2026-11-30T00:00:00.000Z", kind: "activity", name: "survey", status: "done" },
  ...{ attempt: 1, tookMs: null, failure: null, value: null },
};

test("sayingOf() says of a look what is wanted and what is there, also of a host that does not answer", () => {
  const containers = [{ state: "running" }, { state: "running" }, { state: "exited" }];
  const hosts = [
    { host: "a", containers, reason: null },
    { host: "b", containers: null, reason: "no route" },
  ];
  const value = { desired: { replicas: 3, revision: "abc", removed: false }, hosts, waitsFor: ["db"] };
  expect(sayingOf({ ...step, value })).toBe(
    "Wanted: 3 of revision abc. There: 2 running, 1 exited on host a; host b does not answer: no route; waits for db",
  );
});

test("sayingOf() says of a round what was done, and what could not be", () => {
  const acted = {
    asked: ["create web/2", "remove web/0 3f2a"],
    failed: [],
    kept: [],
    unavailable: null,
    fenced: false,
  };
  const did = { ...step, name: "actOnHost" };
  expect(sayingOf({ ...did, value: acted })).toBe("create web/2, remove web/0 3f2a");
  const failed = [{ replica: 2, error: { code: "not_found", message: "no such image" } }];
  expect(sayingOf({ ...did, value: { ...acted, failed } })).toBe(
    "create web/2, remove web/0 3f2a; replica 2 failed: no such image",
  );
  expect(sayingOf({ ...did, value: { ...acted, unavailable: "no engine" } })).toBe("Did not act: no engine");
});

test("sayingOf() says of a try whether the receiver took it, and of any failure why", () => {
  const tried = { ...step, name: "tryDelivery" };
  expect(sayingOf({ ...tried, value: { kind: "delivered" } })).toBe("The receiver took it");
  const value = { kind: "failed", detail: "The receiver answered 410", final: true, retryAfterMs: 0 };
  expect(sayingOf({ ...tried, value })).toBe("The receiver answered 410: another try would not help");
  expect(sayingOf({ ...tried, status: "failed", failure: "No route" })).toBe("No route");
});

test("sayingOf() makes nothing up: of an activity it does not know, and of one that has no result yet", () => {
  expect(sayingOf({ ...step, name: "chargeCard", value: { amount: 1 } })).toBeUndefined();
  expect(sayingOf({ ...step, status: "under_way" })).toBeUndefined();
  expect(sayingOf({ ...step, value: null })).toBe("Wanted: ? of revision ?. There: nothing");
});
