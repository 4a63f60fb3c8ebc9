import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import {
  crashAt,
  type HistoryEntry,
  type Outcome,
  simulate,
  simulateMany,
  SimulationError,
  type SimulationSetup,
} from "#runtime/testing";

setDefaultTimeout(60_000);

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { "counter.added.v1": v.object({ count: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({ in: v.number(), out: v.number() }, (c, by) => {
      c.emit("counter.added.v1", { count: c.state.count + by });
      return (c.state.count += by);
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const adding: SimulationSetup = {
  actors: [Counter],
  workload: async ({ ref, step }) => {
    await ref(Counter, "a", { tries: 9 }).add(1, { id: `add-${step}` });
  },
};

// A run that is told which seeds to take must not tell these tests, and must find its word again after them.
const { TROUPE_SEED: seed, TROUPE_SEEDS: seeds } = process.env;

function setSeeds(one: string | undefined, many: string | undefined): void {
  process.env["TROUPE_SEED"] = one ?? "";
  process.env["TROUPE_SEEDS"] = many ?? "";
}

beforeEach(() => setSeeds(undefined, undefined));
afterEach(() => setSeeds(seed, seeds));

async function failure(promise: Promise<unknown>): Promise<SimulationError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SimulationError);
  return error as SimulationError;
}

test("simulate() without faults loses no call and no time of its own", async () => {
  const { history, actors } = await simulate({ seed: 1, ...adding, faults: [] });
  expect(actors(Counter)).toEqual([{ key: "a", version: 12, state: { count: 12 } }]);
  const answers = history.filter((entry) => entry.kind === "answer");
  expect(answers.map(({ outcome }) => outcome.kind)).toEqual(Array.from({ length: 12 }, () => "ok"));
  expect(history.filter((entry) => entry.kind === "node").map(({ event }) => event)).toEqual([
    ...["starting", "starting", "starting"],
    ...["started", "started", "started"],
  ] as never);
});

test("simulate() gives each seed a history of its own", async () => {
  const texts = new Set<string>();
  for (let seed = 1; seed <= 20; seed++)
    texts.add(JSON.stringify((await simulate({ seed, ...adding })).history.slice(1)));
  expect(texts.size).toBe(20);
});

test.each(["before-commit", "after-commit-before-reply", "after-publish"] as const)(
  "crashAt(%s) kills the node there, another takes over, and the work is done once",
  async (point) => {
    const faults = [crashAt(point, { actor: "counter/a", nth: 3 })];
    const { history, actors } = await simulate({ seed: 5, ...adding, faults });
    const crashes = history.filter((entry) => entry.kind === "node" && entry.event === "crashed");
    expect(crashes.length).toBe(1);
    expect(actors(Counter)[0]?.state).toEqual({ count: 12 });
    const before = history.slice(0, history.indexOf(crashes[0] as HistoryEntry));
    const kind = point === "after-publish" ? "published" : "commit";
    expect(before.filter((entry) => entry.kind === kind).length).toBe(point === "before-commit" ? 2 : 3);
  },
);

test("crashAt() of an actor that does nothing kills nobody", async () => {
  const faults = [crashAt("before-commit", { actor: "counter/other" })];
  const { history } = await simulate({ seed: 5, ...adding, faults });
  expect(history.some((entry) => entry.kind === "node" && entry.event === "crashed")).toBe(false);
});

test("an invariant that does not hold fails the seed, with what is wrong and how to see it again", async () => {
  function neverAbove11({ actors }: Outcome): boolean {
    return actors(Counter).every(({ state }) => state.count <= 11);
  }
  const error = await failure(simulate({ seed: 42, ...adding, faults: [], invariants: [neverAbove11] }));
  expect(error.message).toContain("Cannot pass seed 42: user invariant");
  expect(error.message).toContain("neverAbove11");
  expect(error.message).toContain("stored: counter/a v12");
  expect(error.message).toContain("TROUPE_SEED=42 bun test runtime/testing/simulation/simulate.test.ts");
  expect(error.violations.map(({ kind }) => kind)).toEqual(["invariant"]);
});

test("an invariant may say what is wrong, or throw it", async () => {
  const says = await failure(simulate({ seed: 1, ...adding, faults: [], invariants: [() => "too late"] }));
  expect(says.message).toContain("too late");
  const throws = (): never => {
    throw new Error("too early");
  };
  expect((await failure(simulate({ seed: 1, ...adding, faults: [], invariants: [throws] }))).message).toContain(
    "too early",
  );
});

test("simulateMany() stops at the first seed that fails, and runs TROUPE_SEED alone", async () => {
  const seen: number[] = [];
  const notThird = ({ seed }: { readonly seed: number }): boolean => {
    seen.push(seed);
    return seed !== 3;
  };
  const options = { seeds: 10, ...adding, faults: [], invariants: [notThird] };
  expect((await failure(simulateMany(options))).seed).toBe(3);
  expect(seen).toEqual([1, 2, 3, 3]); // A seed that fails is run again, to see that it fails again.
  setSeeds("7", undefined);
  await simulateMany(options);
  expect(seen).toEqual([1, 2, 3, 3, 7]);
});

test("simulateMany() runs as many seeds as TROUPE_SEEDS says, when that is more", async () => {
  let runs = 0;
  const count = (): void => void runs++;
  setSeeds(undefined, "8");
  await simulateMany({ seeds: 3, ...adding, faults: [], invariants: [count] });
  expect(runs).toBe(8);
});

test("simulateMany() tells when a failing seed did not do the same again", async () => {
  let runs = 0;
  const workload: SimulationSetup["workload"] = ({ ref }) => ref(Counter, "a").add(runs++);
  const error = await failure(simulateMany({ seeds: 1, ...adding, workload, faults: [], invariants: [() => false] }));
  expect(error.violations.at(-1)?.message).toContain("takes time or chance from outside");
});

test("a workload's own error ends the simulation with that error", async () => {
  const workload = (): Promise<void> => Promise.reject(new Error("wrong test"));
  expect(simulate({ seed: 1, ...adding, workload })).rejects.toThrow("wrong test");
});

test("a workload that waits for something outside is told so, instead of running for ever", async () => {
  const workload = (): Promise<void> => new Promise(() => undefined);
  expect(simulate({ seed: 1, ...adding, workload, faults: [] })).rejects.toThrow(
    "does the workload wait for something outside",
  );
});

test("an actor that keeps a journal is refused: the checker could not judge it", () => {
  const Kept = actor("kept", {
    state: v.object({}),
    initial: () => ({}),
    journal: true,
    emits: { "kept.noted.v1": v.object({}) },
    apply: { "kept.noted.v1": (state) => state },
    messages: ({ command }) => ({ note: command({}, (c) => c.emit("kept.noted.v1", {})) }),
  });
  const simulated = simulate({ seed: 1, actors: [Kept], workload: ({ ref }) => ref(Kept, "a").note() });
  expect(simulated).rejects.toThrow("as it keeps a journal");
});
