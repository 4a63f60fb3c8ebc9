import { describe, expect, test } from "bun:test";
import { check } from "./checker.ts";
import type { Episode, History, Running } from "./history.ts";

const episode = (change: Partial<Episode> = {}): Episode => ({
  fault: "docker-kill",
  updating: false,
  from: 1_000,
  faultedAt: 1_500,
  settledAt: 3_000,
  most: 3,
  mayFail: "nothing",
  complaints: [],
  ...change,
});
const running = (...slots: readonly string[]): Running[] =>
  slots.map((slot, i) => {
    const [revision = "", replica] = slot.split("/");
    return { host: "a", id: `${slot}-${i}`, revision, replica: Number(replica) };
  });
const history = (change: Partial<History> = {}): History => ({
  episodes: [episode()],
  sightings: [{ at: 1_100, running: running("r/0", "r/1", "r/2") }],
  asked: [{ at: 1_200, ms: 5, method: "GET", ending: "ok" }],
  told: [{ type: "container.started.v1", containerId: "c1" }],
  running: ["c1"],
  uncaught: [],
  ...change,
});
const kinds = (of: History): string[] => check(of).map(({ kind }) => kind);

test("a run in which all held has no violation", () => {
  expect(check(history())).toEqual([]);
});

describe("check() objects to", () => {
  test("a fault after which the service never settled", () => {
    const { settledAt: _, ...never } = episode({ instead: "2 containers run" });
    expect(check(history({ episodes: [never] }))).toEqual([
      { kind: "unsettled", episode: 0, text: "docker-kill: it never settled: 2 containers run" },
    ]);
  });

  test("one container more than may run, however short; not before the first fault, when nothing is said of it", () => {
    const four = running("r/0", "r/1", "r/2", "s/0");
    expect(kinds(history({ sightings: [{ at: 1_100, running: four }] }))).toEqual(["too many"]);
    expect(kinds(history({ sightings: [{ at: 900, running: four }] }))).toEqual([]);
  });

  test("a slot that runs twice, on one host or two", () => {
    expect(kinds(history({ sightings: [{ at: 1_100, running: running("r/0", "r/0") }] }))).toEqual(["twice"]);
  });

  test("a request that failed, but not to one that nobody could have saved", () => {
    const asked = (method: "GET" | "POST", ending: "failed" | "cut" | "asked") => [
      { at: 1_600, ms: 5, method, ending, why: "502" } as const,
    ];
    expect(kinds(history({ asked: asked("GET", "failed") }))).toEqual(["request"]);
    expect(kinds(history({ asked: asked("POST", "failed") }))).toEqual(["request"]);
    expect(kinds(history({ asked: asked("POST", "cut") }))).toEqual([]);
    expect(kinds(history({ asked: asked("GET", "asked") }))).toEqual([]);
    const forced = [episode({ mayFail: "unsafe" })];
    expect(kinds(history({ episodes: forced, asked: asked("POST", "failed") }))).toEqual([]);
    expect(kinds(history({ episodes: forced, asked: asked("GET", "failed") }))).toEqual(["request"]);
  });

  test("starts without an end, ends without a start, and what runs without having been told of", () => {
    const [started, died] = ["container.started.v1", "container.died.v1"] as const;
    const told = (...types: readonly (typeof started | typeof died)[]) =>
      types.map((type) => ({ type, containerId: "c1" }));
    expect(kinds(history({ told: told(started, died, started) }))).toEqual([]);
    expect(kinds(history({ told: told(started, started) }))).toEqual(["life"]);
    expect(kinds(history({ told: told(started, died, died), running: [] }))).toEqual(["life"]);
    expect(kinds(history({ told: told(started), running: [] }))).toEqual(["life"]);
    expect(kinds(history({ told: [] }))).toEqual(["life"]);
  });

  test("what a fault itself complains of, and errors that nobody caught", () => {
    const episodes = [episode({ complaints: ["an old replica was touched"] })];
    expect(kinds(history({ episodes, uncaught: ['"app:rejection"'] }))).toEqual(["complaint", "uncaught"]);
  });
});
