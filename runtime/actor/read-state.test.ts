import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Store, StateUnreadableError } from "#runtime";

const First = actor("stock", {
  state: v.object({ onHand: v.number() }),
  initial: () => ({ onHand: 0 }),
  messages: ({ command, query }) => ({
    add: command({ out: v.number() }, (c) => ++c.state.onHand),
    show: query({ out: v.unknown() }, (c) => c.state),
  }),
});

function third(migrate: Readonly<Record<number, (old: Record<string, unknown>) => unknown>>) {
  return actor("stock", {
    state: v.object({ count: v.number(), reserved: v.record(v.string(), v.number()) }),
    initial: () => ({ count: 0, reserved: {} }),
    version: 3,
    migrate,
    messages: ({ command, query }) => ({
      add: command({ out: v.number() }, (c) => ++c.state.count),
      touch: command({}, () => undefined),
      refuse: command({}, (c) => c.refuse("no")),
      show: query({ out: v.unknown() }, (c) => c.state),
    }),
  });
}

const Third = third({
  1: (old) => ({ ...old, reserved: {} }),
  2: ({ onHand, ...rest }) => ({ ...rest, count: onHand }),
});

/** A store in which the first version of the code has stored `stock/TEA` with 2 on hand. */
async function stored(): Promise<Store> {
  const store = memory();
  await using troupe = await createTroupe({ actors: [First], stores: { default: store } });
  await troupe.ref(First, "TEA").add();
  await troupe.ref(First, "TEA").add();
  return store;
}

async function row(store: Store) {
  const [loaded] = await store.load([{ type: "stock", key: "TEA" }]);
  return { state: loaded?.state, version: loaded?.version, schemaVersion: loaded?.schemaVersion };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("an old state goes through all steps when it is loaded, and is stored with the next turn", async () => {
  const store = await stored();
  await using troupe = await createTroupe({ actors: [Third], stores: { default: store } });
  const tea = troupe.ref(Third, "TEA");
  expect(await tea.show()).toEqual({ count: 2, reserved: {} });
  expect(await failure(tea.refuse())).toMatchObject({ code: "refused" });
  expect(await row(store)).toEqual({ state: '{"onHand":2}', version: 2, schemaVersion: 1 });
  expect(await tea.add()).toBe(3);
  expect(await row(store)).toEqual({ state: '{"count":3,"reserved":{}}', version: 3, schemaVersion: 3 });
});

test("a turn that changes nothing stores the migrated state too", async () => {
  const store = await stored();
  await using troupe = await createTroupe({ actors: [Third], stores: { default: store } });
  await troupe.ref(Third, "TEA").touch();
  expect(await row(store)).toEqual({ state: '{"count":2,"reserved":{}}', version: 3, schemaVersion: 3 });
  await troupe.ref(Third, "TEA").touch();
  expect((await row(store)).version).toBe(3);
});

test("list shows migrated states", async () => {
  const store = await stored();
  await using troupe = await createTroupe({ actors: [Third], stores: { default: store } });
  await troupe.ref(Third, "MILK").add();
  expect(await troupe.list(Third)).toEqual([
    { key: "MILK", version: 1, state: { count: 1, reserved: {} } },
    { key: "TEA", version: 2, state: { count: 2, reserved: {} } },
  ]);
});

test("an actor of a type with a version starts at that version", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Third], stores: { default: store } });
  await troupe.ref(Third, "TEA").add();
  expect((await row(store)).schemaVersion).toBe(3);
});

const unreadable = [
  { problem: "no_step", migrate: { 1: (old: Record<string, unknown>) => old } },
  {
    problem: "step_failed",
    migrate: {
      1: () => {
        throw new Error("broken step");
      },
    },
  },
  { problem: "misfit", migrate: { 1: (old: Record<string, unknown>) => old, 2: () => ({ count: "two" }) } },
] as const;

for (const { problem, migrate } of unreadable) {
  test(`a state that cannot be migrated (${problem}) is told so by name and left as it is`, async () => {
    const store = await stored();
    const before = await row(store);
    const Broken = third(migrate);
    await using troupe = await createTroupe({ actors: [Broken], stores: { default: store } });
    for (const attempt of [troupe.ref(Broken, "TEA").add(), troupe.ref(Broken, "TEA").show(), troupe.list(Broken)]) {
      const error = await failure(attempt);
      expect(error).toBeInstanceOf(StateUnreadableError);
      expect(error).toMatchObject({
        code: "state_unreadable",
        retryable: true,
        actor: "stock/TEA",
        found: 1,
        known: 3,
        problem,
      });
    }
    expect(await row(store)).toEqual(before);
  });
}

test("a state of newer code is not touched by older code, and served again once the code is back", async () => {
  const store = await stored();
  await using newer = await createTroupe({ actors: [Third], stores: { default: store } });
  await newer.ref(Third, "TEA").add();
  await newer.stop();
  const before = await row(store);
  {
    await using older = await createTroupe({ actors: [First], stores: { default: store } });
    const error = await failure(older.ref(First, "TEA").add());
    expect(error).toMatchObject({ code: "state_unreadable", problem: "newer", found: 3, known: 1 });
    expect((error as Error).message).toBe(
      "Cannot read the state of stock/TEA as newer code wrote it: found is version 3, known is version 1",
    );
  }
  expect(await row(store)).toEqual(before);
  await using again = await createTroupe({ actors: [Third], stores: { default: store } });
  expect(await again.ref(Third, "TEA").add()).toBe(4);
});

test("actor() refuses a version that cannot be stored and a step that leads nowhere", () => {
  const options = { state: v.object({}), initial: () => ({}), messages: () => ({}) };
  for (const version of [0, -1, 1.5, 32_768]) expect(() => actor("t", { ...options, version })).toThrow(TypeError);
  expect(() => actor("t", { ...options, version: 2, migrate: { 2: (old) => old } })).toThrow(TypeError);
  expect(() => actor("t", { ...options, migrate: { 1: (old) => old } })).toThrow(TypeError);
});
