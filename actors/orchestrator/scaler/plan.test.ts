import { describe, expect, test } from "bun:test";
import { FRESH_SLOT } from "./backoff.ts";
import type { Action, Desired, ObservedContainer, Slot, Slots } from "./messages.ts";
import { IDLE_CHECK_MS, plan } from "./plan.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const want = (replicas: number, change: Partial<Desired> = {}): Desired => ({
  service: "web",
  revision: "new",
  replicas,
  order: "start-first",
  ...change,
});

let count = 0;
function container(replica: number, change: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `c${count++}`,
    service: "web",
    revision: "new",
    replica,
    image: "troupe/echo:1",
    state: "running",
    startedAt: ago(60_000),
    finishedAt: null,
    exitCode: 0,
    oomKilled: false,
    hostPorts: [],
    ...change,
  };
}
const exited = (replica: number, ranMs: number, change: Partial<ObservedContainer> = {}): ObservedContainer =>
  container(replica, { state: "exited", startedAt: ago(ranMs + 10), finishedAt: ago(10), exitCode: 1, ...change });
const slot = (change: Partial<Slot>): Slot => ({ ...FRESH_SLOT, ...change });
const planned = (desired: Desired, containers: ObservedContainer[], slots: Slots = {}) =>
  plan(desired, { containers, slots, nowMs: NOW });
const kinds = (actions: readonly Action[]): string[] => actions.map((action) => `${action.kind} ${action.replica}`);

describe("plan() finds nothing to do", () => {
  test("when every slot runs", () => {
    const result = planned(want(3), [container(0), container(1), container(2)]);
    expect(result).toEqual({ actions: [], status: "converged", conditions: [], nextCheckMs: IDLE_CHECK_MS });
  });

  test("when nothing is wanted and nothing is there", () => {
    expect(planned(want(0), []).status).toBe("converged");
  });

  test("about containers of another service", () => {
    const result = planned(want(0), [container(0, { service: "other" }), exited(1, 5, { service: "other" })]);
    expect(result.actions).toEqual([]);
    expect(result.status).toBe("converged");
  });

  test("while a slot's old container is still being removed", () => {
    const result = planned(want(1), [container(0, { state: "removing" })]);
    expect(result.actions).toEqual([]);
    expect(result.status).toBe("progressing");
    expect(result.nextCheckMs).toBeLessThanOrEqual(1_000);
  });
});

describe("plan() fills slots", () => {
  test("creates every missing one at once", () => {
    expect(kinds(planned(want(3), [container(1)]).actions)).toEqual(["create 0", "create 2"]);
  });

  test("starts a container that was created but never started", () => {
    const result = planned(want(1), [container(0, { state: "created", startedAt: null })]);
    expect(result.actions).toMatchObject([{ kind: "start", replica: 0, restart: false }]);
  });

  test("does not call a container that has just been started converged", () => {
    const result = planned(want(1), [container(0, { startedAt: ago(100) })]);
    expect(result.status).toBe("progressing");
    expect(result.nextCheckMs).toBe(400);
  });

  test("removes and makes anew what is dead or paused", () => {
    expect(kinds(planned(want(1), [container(0, { state: "paused" })]).actions)).toEqual(["remove 0", "create 0"]);
    expect(kinds(planned(want(1), [container(0, { state: "dead" })]).actions)).toEqual(["remove 0", "create 0"]);
  });
});

describe("plan() removes", () => {
  test("the highest slots when the service shrinks, and restarts nothing", () => {
    const result = planned(want(1), [container(0), container(1), container(2)]);
    expect(kinds(result.actions)).toEqual(["remove 1", "remove 2"]);
  });

  test("everything of a removed service, whatever its revision and state", () => {
    const result = planned(want(0), [container(0), exited(1, 5), container(0, { revision: "old" })]);
    expect(kinds(result.actions)).toEqual(["remove 0", "remove 1", "remove 0"]);
  });

  test("a second container of a slot", () => {
    const [first, second] = [container(0), container(0)];
    expect(planned(want(1), [first, second]).actions).toMatchObject([
      { kind: "remove", containerId: second.id, reason: "excess" },
    ]);
  });

  test("an outdated container that has ended, at once", () => {
    const result = planned(want(1), [container(0), exited(0, 5, { revision: "old" })]);
    expect(result.actions).toMatchObject([{ kind: "remove", reason: "outdated", running: false }]);
  });
});

describe("plan() replaces a revision", () => {
  const old = (replica: number): ObservedContainer => container(replica, { revision: "old" });

  test("starts one more before it takes one away", () => {
    expect(kinds(planned(want(3), [old(0), old(1), old(2)]).actions)).toEqual(["create 0"]);
  });

  test("takes an old one away once the new one has proved itself, and starts the next", () => {
    const result = planned(want(3), [old(0), old(1), old(2), container(0)]);
    expect(kinds(result.actions)).toEqual(["remove 2", "create 1"]);
    expect(result.conditions).toMatchObject([{ type: "rolling_out" }]);
  });

  test("waits while the new one is too young to be trusted", () => {
    const result = planned(want(3), [old(0), old(1), old(2), container(0, { startedAt: ago(200) })]);
    expect(result.actions).toEqual([]);
    expect(result.nextCheckMs).toBe(300);
  });

  test("leaves the old ones alone while the new revision does not stay up", () => {
    const crashed = exited(0, 50, { finishedAt: ago(10) });
    const slots = { "new/0": slot({ streak: 3, retryAt: NOW + 4_000, diedAt: crashed.finishedAt }) };
    const result = planned(want(3), [old(0), old(1), old(2), crashed], slots);
    expect(result.actions).toEqual([]);
    expect(result.status).toBe("degraded");
  });

  test("stops first where old and new want the same port of the machine", () => {
    expect(kinds(planned(want(1, { order: "stop-first" }), [old(0)]).actions)).toEqual(["remove 0", "create 0"]);
  });

  test("never runs more than one extra and never fewer than wanted, from any start to the end", () => {
    for (const replicas of [1, 2, 3, 7]) {
      let containers = Array.from({ length: replicas }, (_, replica) => old(replica));
      for (let round = 0; round < 50; round++) {
        const { actions, status } = planned(want(replicas), containers);
        if (status === "converged") break;
        for (const action of actions) {
          if (action.kind === "remove") containers = containers.filter((c) => c.id !== action.containerId);
          expect(containers.length).toBeGreaterThanOrEqual(replicas);
          if (action.kind === "create") containers.push(container(action.replica));
          expect(containers.length).toBeLessThanOrEqual(replicas + 1);
        }
      }
      expect(containers.map((c) => `${c.revision}/${c.replica}`).sort()).toEqual(
        Array.from({ length: replicas }, (_, i) => `new/${i}`),
      );
    }
  });
});

describe("plan() restarts what has ended", () => {
  test("at once after a good run", () => {
    expect(kinds(planned(want(1), [exited(0, 20_000)]).actions)).toEqual(["record-death 0", "start 0"]);
  });

  test("at once when it was killed from outside", () => {
    expect(kinds(planned(want(1), [exited(0, 2_000, { exitCode: 137 })]).actions)).toEqual([
      "record-death 0",
      "start 0",
    ]);
    expect(kinds(planned(want(1), [exited(0, 300, { exitCode: 137 })]).actions)).toEqual(["record-death 0", "start 0"]);
  });

  test("after a pause when it ended by itself soon after its start, also with exit code 0", () => {
    for (const exitCode of [0, 1]) {
      const result = planned(want(1), [exited(0, 50, { exitCode })]);
      expect(kinds(result.actions)).toEqual(["record-death 0"]);
      expect(result.nextCheckMs).toBe(1_000);
    }
  });

  test("after a pause when it was killed for its memory", () => {
    expect(kinds(planned(want(1), [exited(0, 2_000, { exitCode: 137, oomKilled: true })]).actions)).toEqual([
      "record-death 0",
    ]);
  });

  test("after growing pauses, up to 30 s", () => {
    let state: Slot = FRESH_SLOT;
    const pauses = Array.from({ length: 8 }, (_, i) => {
      const died = exited(0, 50, { finishedAt: ago(i + 1) });
      const death = planned(want(1), [died], { "new/0": { ...state, retryAt: 0 } }).actions[0];
      if (death?.kind !== "record-death") throw new Error("expected a death");
      state = death.slot;
      return (state.retryAt - NOW) / 1_000;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  test("records a death once", () => {
    const died = exited(0, 50);
    const slots = { "new/0": slot({ streak: 1, retryAt: NOW + 700, diedAt: died.finishedAt }) };
    const result = planned(want(1), [died], slots);
    expect(result.actions).toEqual([]);
    expect(result.nextCheckMs).toBe(700);
  });

  test("says that a slot loops, and takes its word back after a stable run", () => {
    const looping = { "new/0": slot({ streak: 2, restarts: 2 }) };
    const young = planned(want(1), [container(0, { startedAt: ago(3_000) })], looping);
    expect(young.status).toBe("degraded");
    expect(young.conditions).toMatchObject([{ type: "crash_looping" }]);
    expect(young.nextCheckMs).toBe(7_000);
    expect(planned(want(1), [container(0, { startedAt: ago(10_000) })], looping).status).toBe("converged");
  });

  test("waits before it creates again what could not be created, and says why", () => {
    const result = planned(want(1), [], { "new/0": slot({ streak: 1, retryAt: NOW + 1_000, error: "no such image" }) });
    expect(result.actions).toEqual([]);
    expect(result.status).toBe("degraded");
    expect(result.conditions[0]?.message).toContain("no such image");
  });
});

test("plan() reaches exactly the wanted slots from any mess, and stays there", () => {
  const states = ["created", "running", "paused", "exited", "dead"] as const;
  for (let seed = 0; seed < 300; seed++) {
    const random = mulberry(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    let containers = Array.from({ length: Math.floor(random() * 8) }, () => {
      const state = pick(states);
      const made = container(Math.floor(random() * 5), { state, revision: pick(["old", "new", "older"]) });
      return state === "exited" ? { ...made, finishedAt: ago(5), exitCode: pick([0, 1, 137]) } : made;
    });
    const desired = want(Math.floor(random() * 5), { order: pick(["start-first", "stop-first"] as const) });
    const limit = Math.max(desired.replicas + 1, containers.filter((c) => c.state === "running").length);
    let result = planned(desired, containers);
    for (let round = 0; round < 40 && result.actions.length > 0; round++) {
      for (const action of result.actions) {
        if (action.kind === "remove") containers = containers.filter((c) => c.id !== action.containerId);
        if (action.kind === "create") containers.push(container(action.replica));
        if (action.kind === "start")
          containers = containers.map((c) => (c.id === action.containerId ? { ...c, state: "running" } : c));
        expect(containers.filter((c) => c.state === "running").length).toBeLessThanOrEqual(limit);
      }
      result = planned(desired, containers);
    }
    expect(result.status).toBe("converged");
    expect(containers.map((c) => `${c.revision}/${c.replica}`).sort()).toEqual(
      Array.from({ length: desired.replicas }, (_, i) => `new/${i}`),
    );
  }
});

/** A small seeded generator, so that a failure can be run again. */
function mulberry(seed: number): () => number {
  let a = seed + 0x6d2b79f5;
  return () => {
    a = Math.imul(a ^ (a >>> 15), a | 1);
    a ^= a + Math.imul(a ^ (a >>> 7), a | 61);
    return ((a ^ (a >>> 14)) >>> 0) / 4_294_967_296;
  };
}
