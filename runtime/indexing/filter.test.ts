import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";
import { readFilter } from "./filter.ts";

const Item = actor("item", {
  state: v.object({
    onHand: v.number(),
    name: v.string(),
    status: v.picklist(["active", "ended"]),
    sold: v.boolean(),
    note: v.nullable(v.string()),
    rank: v.optional(v.number()),
    tags: v.array(v.string()),
  }),
  initial: () => ({ onHand: 0, name: "", status: "active" as const, sold: false, note: null, tags: [] }),
  index: ["onHand", "name", "status", "sold", "note", "rank"],
  messages: () => ({}),
});
const Plain = actor("plain", { state: v.object({ a: v.number() }), initial: () => ({ a: 1 }), messages: () => ({}) });

const state = { onHand: 5, name: "tea", status: "active", sold: false, note: null, tags: [] };

function fits(filter: Readonly<Record<string, unknown>>): boolean {
  return readFilter(Item, filter).matches(state);
}

test("a filter fits when all of its fields do", () => {
  expect(fits({})).toBe(true);
  expect(fits({ onHand: 5, name: "tea", sold: false, note: null })).toBe(true);
  expect(fits({ onHand: 5, name: "tin" })).toBe(false);
  expect(fits({ name: { in: ["tin", "tea"] } })).toBe(true);
  expect(fits({ name: { in: [] } })).toBe(false);
  expect(fits({ onHand: { gt: 4, lte: 5 }, name: { gte: "t", lt: "tf" } })).toBe(true);
  expect(fits({ onHand: { gt: 5 } })).toBe(false);
  expect(fits({ onHand: { gte: 5, lt: 5 } })).toBe(false);
});

test("a value fits no bound of another kind, and a member that is missing fits nothing", () => {
  expect([fits({ onHand: "5" }), fits({ onHand: { gte: "" } }), fits({ note: { lt: "z" } })]).toEqual([
    false,
    false,
    false,
  ]);
  expect([fits({ rank: { gte: 0 } }), fits({ rank: null }), fits({ rank: 0 })]).toEqual([false, false, false]);
});

test("a field that is not indexed is refused, with those that are", () => {
  expect(() => readFilter(Item, { tags: "a" })).toThrow(
    'Cannot filter item by "tags" as it is not indexed: indexed are name, note, onHand, rank, sold, status',
  );
  expect(() => readFilter(Plain, { a: 1 })).toThrow('Cannot filter plain by "a" as it is not indexed: none is');
  expect(() => readFilter(Item, { toString: 1 })).toThrow(TypeError);
});

test("what no field can hold is refused, not left out", () => {
  const wrong = [
    undefined,
    {},
    { near: 1 },
    { gt: undefined },
    { gt: 1, lt: "a" },
    { gt: null },
    { gt: Number.NaN },
    [1],
  ];
  for (const value of [...wrong, Number.NaN, { in: 1 }, { in: [{}] }, { in: [1], gt: 1 }, 1n]) {
    expect(() => readFilter(Item, { onHand: value })).toThrow('Cannot filter item by "onHand": expected');
  }
});

test("an index that names a field twice, or a very long one, is no definition", () => {
  const define = (index: readonly "a"[]): unknown =>
    actor("wrong", { state: v.object({ a: v.number() }), initial: () => ({ a: 1 }), index, messages: () => ({}) });
  expect(() => define(["a", "a"])).toThrow('Cannot index "a" of the actor type "wrong"');
});

test("a journaled actor type has no index", () => {
  const define = (): unknown =>
    actor("wrong", {
      state: v.object({ a: v.number() }),
      initial: () => ({ a: 1 }),
      emits: {},
      journal: true,
      apply: {},
      index: ["a"],
      messages: () => ({}),
    });
  expect(define).toThrow('Cannot index the journaled actor type "wrong"');
});

test("where() takes the indexed fields, with values of their types", async () => {
  await using troupe = await createTroupe({ actors: [Item, Plain], stores: { default: memory() } });
  expect(
    await troupe.where(Item, { onHand: { gte: 1, lt: 9 }, status: { in: ["active"] }, sold: true, note: null }),
  ).toEqual([]);
  expect(await troupe.where(Plain, {})).toEqual([]);
  const wrong = [
    // @ts-expect-error -- not indexed
    () => troupe.where(Item, { tags: "a" }),
    // @ts-expect-error -- nothing is indexed
    () => troupe.where(Plain, { a: 1 }),
  ];
  for (const ask of wrong) expect(await ask().catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  // @ts-expect-error -- a number
  expect(await troupe.where(Item, { onHand: "many" })).toEqual([]);
  // @ts-expect-error -- one of two words
  expect(await troupe.where(Item, { status: "gone" })).toEqual([]);
  // @ts-expect-error -- a boolean has no order
  expect(await troupe.where(Item, { sold: { gt: 1 } })).toEqual([]);
  // @ts-expect-error -- only what holds a string, number, boolean or null can be indexed
  actor("other", { state: Item.options.state, initial: Item.options.initial, index: ["tags"], messages: () => ({}) });
});
