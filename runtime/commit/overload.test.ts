import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type OverloadedError, TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";

let filled = 0;

const Counter = actor("counter", {
  state: v.object({ count: v.number(), pad: v.string() }),
  initial: () => ({ count: 0, pad: "" }),
  mailbox: { max: 10 },
  messages: ({ command, query }) => ({
    add: command({ out: v.number() }, (c) => ++c.state.count),
    refuse: command({}, (c) => c.refuse("no")),
    fill: command({ in: v.number() }, (c, length) => {
      filled++;
      c.state.count++;
      c.state.pad = "x".repeat(length);
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

/** How many calls ended in which way. */
function tally(calls: readonly Promise<unknown>[]): {
  readonly codes: Map<string, number>;
  readonly all: Promise<unknown>;
} {
  const codes = new Map<string, number>();
  const note = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
  const all = Promise.all(
    calls.map((call) =>
      call.then(
        () => note("ok"),
        (error: unknown) => note(error instanceof TroupeError ? error.code : String(error)),
      ),
    ),
  );
  return { codes, all };
}

test("turns that wait for their commit fill the mailbox: an actor with a slow store tells its callers so", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  await counter.value();
  const open = faulty.hold();
  const { codes, all } = tally(Array.from({ length: 1_000 }, () => counter.add()));
  await Bun.sleep(0);
  // Ten turns have run and wait for their commit, ten messages wait for their turn.
  expect(codes.get("mailbox_full")).toBe(980);
  open();
  await all;
  expect(Object.fromEntries(codes)).toEqual({ mailbox_full: 980, ok: 20 });
  expect(await counter.value()).toBe(20);
});

test("queries and refusals that wait for a commit are bounded too", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  await counter.value();
  const open = faulty.hold();
  const first = counter.add();
  const refusals = tally(Array.from({ length: 100 }, () => counter.refuse()));
  const queries = tally(Array.from({ length: 5_000 }, () => counter.value()));
  await Bun.sleep(0);
  expect(refusals.codes.get("mailbox_full")).toBe(81);
  expect(queries.codes.get("mailbox_full")).toBeGreaterThan(2_900);
  open();
  await Promise.all([first, refusals.all, queries.all]);
});

test("a lane is bounded over all of its actors: a burst waits, and what comes beyond it is told when to come again", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, lanes: 1 });
  const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => troupe.ref(Counter, key).value()));
  const open = faulty.hold();
  const errors: unknown[] = [];
  const calls = Array.from({ length: 20_000 }, (_, i) => troupe.ref(Counter, keys[i % keys.length] as string).add());
  for (const call of calls) call.catch((error: unknown) => errors.push(error));
  const { codes, all } = tally(calls);
  await Bun.sleep(0);
  const turnedAway = codes.get("overloaded") ?? 0;
  expect(turnedAway).toBeGreaterThan(10_000);
  expect((errors[0] as OverloadedError).retryable).toBe(true);
  expect((errors[0] as OverloadedError).retryAfterMs).toBeGreaterThanOrEqual(100);
  open();
  await all;
  expect(codes.get("ok")).toBe(20_000 - turnedAway);
  expect(await troupe.ref(Counter, "k0").add()).toBeGreaterThan(0);
});

test("a lane is bounded by the size of what waits in it", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, lanes: 1 });
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => troupe.ref(Counter, key).value()));
  const open = faulty.hold();
  const { all } = tally(keys.map((key) => troupe.ref(Counter, key).fill(1_000_000)));
  await Bun.sleep(0);
  expect(filled).toBeLessThan(50);
  open();
  await all;
  expect(await Promise.all(keys.map((key) => troupe.ref(Counter, key).value()))).toEqual(keys.map(() => 1));
});

test("tell waits while there is room for it, and what is dropped is counted", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  await troupe.ref(Counter, "a").value();
  const open = faulty.hold();
  for (let i = 0; i < 100; i++) troupe.tell(Counter, "a").add();
  await Bun.sleep(0);
  expect(troupe.status().droppedTells).toBe(80);
  open();
  while ((await troupe.ref(Counter, "a").value()) < 20) await Bun.sleep(1);
});

test("an id that is not durable yet is known, however many came after it", async () => {
  const faulty = new FaultyStore(memory());
  const Till = actor("till", {
    state: v.object({ total: v.number() }),
    initial: () => ({ total: 0 }),
    mailbox: { max: 3_000 },
    messages: ({ command }) => ({
      charge: command({ in: v.number(), out: v.number() }, (c, amount) => (c.state.total += amount)),
    }),
  });
  await using troupe = await createTroupe({ actors: [Till], stores: { default: faulty.store } });
  const till = troupe.ref(Till, "a");
  await till.charge(0);
  const open = faulty.hold();
  const first = till.charge(100, { id: "payment" });
  const others = Array.from({ length: 2_000 }, (_, i) => till.charge(0, { id: `other-${i}` }));
  await Bun.sleep(0);
  const again = till.charge(100, { id: "payment" });
  await Bun.sleep(0);
  open();
  expect([await first, await again]).toEqual([100, 100]);
  await Promise.all(others);
  expect(await till.charge(0)).toBe(100);
});
