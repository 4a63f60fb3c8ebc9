import { describe, expect, test } from "bun:test";
import { FRESH_SLOT } from "./backoff.ts";
import {
  type Action,
  DEFAULT_UPDATE,
  type Desired,
  type ObservedContainer,
  type Slot,
  type Slots,
} from "./messages.ts";
import { FIRST_PROOF_MS } from "./outlook.ts";
import { DRAIN_SETTLE_MS, IDLE_CHECK_MS, plan } from "./plan.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const want = (replicas: number, change: Partial<Desired> = {}): Desired => ({
  service: "web",
  revision: "new",
  replicas,
  canary: null,
  good: null,
  since: NOW,
  update: DEFAULT_UPDATE,
  paused: false,
  routed: false,
  pinned: false,
  drainMs: 10_000,
  waitsFor: [],
  hosts: ["a"],
  draining: {},
  ...change,
});

let count = 0;
function container(replica: number, change: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `c${count++}`,
    host: "a",
    service: "web",
    revision: "new",
    replica,
    image: "troupe/echo:1",
    imageId: "sha256:1",
    state: "running",
    createdAt: ago(60_000),
    startedAt: ago(60_000),
    finishedAt: null,
    exitCode: 0,
    oomKilled: false,
    ports: [],
    health: "none",
    differences: [],
    stuck: null,
    fence: 1,
    ...change,
  };
}
const exited = (replica: number, change: Partial<ObservedContainer> = {}): ObservedContainer =>
  container(replica, { state: "exited", finishedAt: ago(10), exitCode: 1, ...change });
const old = (replica: number, change: Partial<ObservedContainer> = {}): ObservedContainer =>
  container(replica, { revision: "old", ...change });
const slot = (change: Partial<Slot>): Slot => ({ ...FRESH_SLOT, ...change });
const planned = (desired: Desired, containers: ObservedContainer[], slots: Slots = {}) =>
  plan(desired, { containers, slots, nowMs: NOW });
const kinds = (actions: readonly Action[]): string[] =>
  actions.map((action) => `${action.kind} ${action.revision}/${action.replica}`);

describe("plan() finds nothing to do", () => {
  test("when every slot is filled", () => {
    const result = planned(want(3), [container(0), container(1), container(2)]);
    expect(result).toEqual({
      actions: [],
      status: "converged",
      conditions: [],
      failure: null,
      nextCheckMs: IDLE_CHECK_MS,
    });
  });

  test("about containers of another service", () => {
    const result = planned(want(0), [container(0, { service: "other" }), exited(1, { service: "other" })]);
    expect([result.actions, result.status]).toEqual([[], "converged"]);
  });

  test("while a slot's old container is still being removed", () => {
    const result = planned(want(1), [container(0), container(1, { state: "removing" })]);
    expect([result.actions, result.status]).toEqual([[], "progressing"]);
    expect(result.nextCheckMs).toBeLessThanOrEqual(1_000);
  });
});

describe("plan() fills slots", () => {
  test("creates every missing one at once, spread over the hosts", () => {
    const result = planned(want(4, { hosts: ["a", "b"] }), [container(1)]);
    expect(kinds(result.actions)).toEqual(["create new/0", "create new/2", "create new/3"]);
    expect(result.actions.map(({ host }) => host)).toEqual(["b", "a", "b"]);
  });

  test("starts what was created but never started, and makes anew what is dead, paused, or cut off from its ports", () => {
    expect(kinds(planned(want(1), [container(0, { state: "created", startedAt: null })]).actions)).toEqual([
      "start new/0",
    ]);
    for (const change of [{ state: "paused" }, { state: "dead" }, { differences: ["ports"] }] as const)
      expect(kinds(planned(want(1), [container(0, change)]).actions)).toEqual(["remove new/0", "create new/0"]);
  });

  test("waits before the first container for the services it depends on", () => {
    const result = planned(want(2, { waitsFor: ["db"] }), []);
    expect([result.actions, result.conditions[0]?.type, result.status]).toEqual([[], "waiting", "progressing"]);
    expect(kinds(planned(want(2, { waitsFor: ["db"] }), [container(0)]).actions)).toEqual(["create new/1"]);
  });

  test("says so when there is no host", () => {
    const result = planned(want(1, { hosts: [] }), []);
    expect([result.actions, result.status, result.conditions[0]?.type]).toEqual([[], "degraded", "docker_unavailable"]);
  });

  test("is not converged before a container has run for a moment, nor while its check is starting or fails", () => {
    const young = planned(want(1), [container(0, { startedAt: ago(100) })]);
    expect([young.status, young.nextCheckMs]).toEqual(["progressing", 400]);
    expect(planned(want(1), [container(0, { health: "starting" })]).status).toBe("progressing");
    const ill = planned(want(1), [container(0, { health: "unhealthy" })]);
    expect([kinds(ill.actions), ill.status]).toEqual([["restart new/0"], "degraded"]);
  });

  test("puts right what was changed by hand, and leaves alone what cannot be asked", () => {
    expect(kinds(planned(want(1), [container(0, { differences: ["limits"] })]).actions)).toEqual(["mend new/0"]);
    const stuck = planned(want(2), [container(0, { stuck: "no answer" }), exited(1)]);
    expect([kinds(stuck.actions), stuck.conditions[0]?.type]).toEqual([["start new/1"], "container_stuck"]);
  });
});

describe("plan() removes", () => {
  test("the highest slots when the service shrinks, and restarts nothing", () => {
    expect(kinds(planned(want(1), [container(0), container(1), container(2)]).actions)).toEqual([
      "remove new/2",
      "remove new/1",
    ]);
  });

  test("nothing that works while what is to stay does not", () => {
    expect(kinds(planned(want(1), [exited(0), container(1)]).actions)).toEqual(["start new/0"]);
  });

  test("everything of a removed service, whatever its revision and state", () => {
    const result = planned(want(0), [container(0), exited(1), old(0), container(2, { stuck: "no answer" })]);
    expect(result.actions.every(({ kind }) => kind === "remove")).toBe(true);
    expect(result.actions).toHaveLength(4);
  });

  test("what gets requests only after it was taken out of the rotation and has answered them", () => {
    const [keep, go] = [container(0), container(1)];
    const routed = (draining: Desired["draining"]): Desired => want(1, { routed: true, draining });
    expect(kinds(planned(routed({}), [keep, go]).actions)).toEqual(["drain new/1"]);
    const settling = planned(routed({ [go.id]: { since: NOW - 100, open: 0 } }), [keep, go]);
    expect([settling.actions, settling.nextCheckMs]).toEqual([[], DRAIN_SETTLE_MS - 100]);
    expect(planned(routed({ [go.id]: { since: NOW - 5_000, open: 2 } }), [keep, go]).actions).toEqual([]);
    for (const draining of [
      { since: NOW - 5_000, open: 0 },
      { since: NOW - 10_000, open: 2 },
    ])
      expect(kinds(planned(routed({ [go.id]: draining }), [keep, go]).actions)).toEqual(["remove new/1"]);
  });

  test("nothing that is wanted again: it is put back", () => {
    const back = container(0);
    const result = planned(want(1, { routed: true, draining: { [back.id]: { since: NOW - 100, open: 0 } } }), [back]);
    expect(kinds(result.actions)).toEqual(["undrain new/0"]);
  });
});

describe("plan() replaces a revision", () => {
  test("starts one more before it takes one away", () => {
    expect(kinds(planned(want(3), [old(0), old(1), old(2)]).actions)).toEqual(["create new/0"]);
  });

  test("has the first new one prove itself for 10 s, the next for one", () => {
    const first = planned(want(3), [old(0), old(1), old(2), container(0, { startedAt: ago(600) })]);
    expect([first.actions, first.nextCheckMs]).toEqual([[], FIRST_PROOF_MS - 600]);
    const proven = planned(want(3), [old(0), old(1), old(2), container(0, { startedAt: ago(FIRST_PROOF_MS) })]);
    expect(kinds(proven.actions)).toEqual(["remove old/2"]);
    const next = [old(0), old(1), container(0), container(1, { startedAt: ago(1_000) })];
    expect(kinds(planned(want(3), next).actions)).toEqual(["remove old/1"]);
  });

  test("leaves the old ones alone while the new revision fails, and gives it up after three failures", () => {
    const containers = [old(0), old(1), old(2), exited(0)];
    const slots = (failures: number) => ({ "new/0": slot({ streak: failures, failures, retryAt: NOW + 4_000 }) });
    const looping = planned(want(3, { good: "old" }), containers, slots(2));
    expect([looping.actions, looping.status, looping.failure]).toEqual([[], "degraded", null]);
    expect(planned(want(3, { good: "old" }), containers, slots(3)).failure).toContain("failed 3 times");
    // The first revision of a service has nothing to go back to.
    expect(planned(want(3), containers, slots(3)).failure).toBeNull();
  });

  test("gives a revision up that is not ready by its deadline", () => {
    const containers = [old(0), container(0, { health: "starting" })];
    const since = NOW - DEFAULT_UPDATE.deadlineMs;
    expect(planned(want(1, { good: "old", since }), containers).failure).toContain("not ready within 120 s");
  });

  test("makes the new one, stops the old one, starts the new one, where both want one port of the machine", () => {
    const desired = want(1, { pinned: true });
    const made = container(0, { state: "created", startedAt: null });
    expect(planned(desired, [old(0)]).actions).toMatchObject([{ kind: "create", start: false }]);
    expect(kinds(planned(desired, [old(0), made]).actions)).toEqual(["stop old/0"]);
    const stopped = old(0, { state: "exited", finishedAt: ago(10) });
    expect(kinds(planned(desired, [stopped, made]).actions)).toEqual(["start new/0"]);
    expect(kinds(planned(desired, [stopped, container(0)]).actions)).toEqual(["remove old/0"]);
  });

  test("keeps the old one where the new one cannot be made", () => {
    const slots = { "new/0": slot({ streak: 1, retryAt: NOW + 1_000, error: { code: "image_missing", message: "" } }) };
    expect(planned(want(1, { pinned: true }), [old(0)], slots).actions).toEqual([]);
  });

  test("does nothing of it while it is paused", () => {
    expect(planned(want(2, { paused: true }), [old(0), old(1)]).actions).toEqual([]);
    expect(kinds(planned(want(2, { paused: true }), [old(0), old(1, { state: "exited" })]).actions)).toEqual([
      "start old/1",
    ]);
  });

  test("keeps a canary beside all the old ones", () => {
    const canary = { base: "old", replicas: 1 };
    expect(kinds(planned(want(3, { canary }), [old(0), old(1), old(2)]).actions)).toEqual(["create new/0"]);
    const tried = planned(want(3, { canary }), [old(0), old(1), old(2), container(0)]);
    expect([tried.actions, tried.status, tried.conditions[0]?.type]).toEqual([[], "progressing", "canary"]);
  });
});

describe("plan() restarts what has ended", () => {
  test("once its pause is over", () => {
    expect(kinds(planned(want(1), [exited(0)]).actions)).toEqual(["start new/0"]);
    const waiting = planned(want(1), [exited(0)], { "new/0": slot({ streak: 1, retryAt: NOW + 700 }) });
    expect([waiting.actions, waiting.nextCheckMs]).toEqual([[], 700]);
  });

  test("says that a slot loops until it has run twice as long as the last time", () => {
    const looping = { "new/0": slot({ streak: 5, failures: 5, restarts: 5, ranMs: 11_000 }) };
    const again = planned(want(1), [container(0, { startedAt: ago(12_000) })], looping);
    expect([again.status, again.conditions[0]?.type]).toEqual(["degraded", "crash_looping"]);
    expect(planned(want(1), [container(0, { startedAt: ago(22_000) })], looping).status).toBe("converged");
  });

  test("says why it does not start", () => {
    const error = { code: "image_missing", message: "no such image" };
    const result = planned(want(1), [], { "new/0": slot({ streak: 1, failures: 1, retryAt: NOW + 1_000, error }) });
    expect([result.actions, result.status]).toEqual([[], "degraded"]);
    expect(result.conditions[0]).toMatchObject({
      type: "image_unavailable",
      message: expect.stringContaining("no such"),
    });
  });
});
