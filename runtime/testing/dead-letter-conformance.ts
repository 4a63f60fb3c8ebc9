/** What a store promises about dead letters, as tests that every store runs. */
import type { DeadLetter, Store } from "../ports/store.ts";
import type { StoreFixture, TestTools } from "./store-conformance.ts";

/**
 * Runs the suite against the store that `make` gives: an empty one each time, not yet opened.
 *
 * @example
 * ```ts
 * deadLetterConformance("memory", async () => ({ store: memory(), [Symbol.asyncDispose]: async () => {} }), { test, expect });
 * ```
 */
export function deadLetterConformance(
  name: string,
  make: () => Promise<StoreFixture>,
  { test, expect }: TestTools,
): void {
  const scenario = (title: string, run: (store: Store) => Promise<void>): void => {
    test(`${name} store: ${title}`, async () => {
      await using fixture = await make();
      await fixture.store.open();
      await run(fixture.store);
      await fixture.store.close();
    });
  };
  const ids = async (store: Store, filter = {}, after = 0, limit = 10): Promise<string[]> =>
    (await store.deadLetters(filter, { after, limit })).map((found) => found.id);

  scenario("reads a dead letter back to the byte", async (store) => {
    const written = letter("l", { record: '{"z":1,"a":"\\u0000 é"}', type: "t", key: "t/k", detail: 'it\'s "so" \\' });
    await store.recordDeadLetters([written]);
    const read = await store.deadLetter("l");
    expect(read).toEqual({ ...written, position: read?.position });
    expect(await store.deadLetters({}, { after: 0, limit: 10 })).toEqual([read]);
    expect(await store.deadLetter("other")).toBe(undefined);
  });

  scenario("keeps the first of an id", async (store) => {
    await store.recordDeadLetters([letter("l", { attempts: 1 })]);
    await store.recordDeadLetters([letter("l", { attempts: 2 }), letter("m")]);
    expect((await store.deadLetter("l"))?.attempts).toBe(1);
    expect(await ids(store)).toEqual(["l", "m"]);
  });

  scenario("lists dead letters in the order they were recorded, in pages", async (store) => {
    await store.recordDeadLetters(["c", "a"].map((id) => letter(id, { at: 9 })));
    await store.recordDeadLetters(["d", "b"].map((id) => letter(id, { at: 1 })));
    const [first, second] = await store.deadLetters({}, { after: 0, limit: 2 });
    expect([first?.id, second?.id]).toEqual(["c", "a"]);
    expect(await ids(store, {}, second?.position)).toEqual(["d", "b"]);
  });

  scenario("finds dead letters by reason, type and key", async (store) => {
    await store.recordDeadLetters([
      letter("a", { type: "t", key: "t/1" }),
      letter("b", { type: "u", key: "t/1" }),
      letter("c", { type: "t", reason: "broker" }),
      letter("d", { type: undefined, key: undefined, target: "t/2" }),
    ]);
    expect(await ids(store, { type: "t" })).toEqual(["a", "c"]);
    expect(await ids(store, { type: "t", reason: "poison" })).toEqual(["a"]);
    expect(await ids(store, { key: "t/1" })).toEqual(["a", "b"]);
    // A dead letter without a key keeps its order by its target.
    expect(await ids(store, { key: "t/2" })).toEqual(["d"]);
  });

  scenario("finds dead letters by time and position", async (store) => {
    await store.recordDeadLetters([1, 2, 3, 4].map((at) => letter(`l${at}`, { at })));
    expect(await ids(store, { from: 2 })).toEqual(["l2", "l3", "l4"]);
    expect(await ids(store, { before: 3 })).toEqual(["l1", "l2"]);
    expect(await ids(store, { from: 2, before: 3, type: "t" })).toEqual(["l2"]);
    const last = await store.lastDeadLetter();
    const third = (await store.deadLetter("l3"))?.position ?? 0;
    expect(last).toBe((await store.deadLetter("l4"))?.position);
    const upTo = await store.deadLetters({}, { after: 0, limit: 10, upTo: third });
    expect(upTo.map(({ id }) => id)).toEqual(["l1", "l2", "l3"]);
  });

  scenario("tells which keys have a letter up to a position", async (store) => {
    await store.recordDeadLetters([
      letter("a", { key: "t/1" }),
      letter("b", { key: "t/2", reason: "broker" }),
      letter("c", { key: undefined, target: "t/3" }),
      letter("d", { key: "t/4" }),
    ]);
    const upTo = (await store.deadLetter("c"))?.position ?? 0;
    const keys = async (filter = {}): Promise<string[]> =>
      [...(await store.keysWithDeadLetters(filter, ["t/1", "t/2", "t/3", "t/4", "t/5"], upTo))].toSorted();
    expect(await keys()).toEqual(["t/1", "t/2", "t/3"]);
    expect(await keys({ reason: "poison" })).toEqual(["t/1", "t/3"]);
    expect(await store.keysWithDeadLetters({}, [], upTo)).toEqual([]);
  });

  scenario("counts dead letters by reason, exactly, through repeats and removals", async (store) => {
    const counts = async (): Promise<Record<string, number>> =>
      Object.fromEntries((await store.countDeadLetters()).map(({ reason, count }) => [reason, count]));
    expect(await counts()).toEqual({});
    const many = Array.from({ length: 2_500 }, (_, i) => letter(`p${i}`));
    await store.recordDeadLetters([...many, letter("b", { reason: "broker" }), letter("p0")]);
    await store.recordDeadLetters([letter("p1"), letter("s", { reason: "schema" })]);
    expect(await counts()).toEqual({ poison: 2_500, broker: 1, schema: 1 });
    expect(await store.removeDeadLetters(["p0", "p1", "b", "nobody"])).toBe(3);
    expect(await counts()).toEqual({ poison: 2_498, schema: 1 });
  });

  scenario("summarizes what fits, by reason", async (store) => {
    await store.recordDeadLetters([
      letter("a", { at: 5 }),
      letter("b", { at: 2 }),
      letter("c", { at: 9, reason: "route" }),
      letter("d", { at: 7, type: "u" }),
    ]);
    const all = (await store.summarizeDeadLetters({})).toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
    expect(all).toEqual([
      { reason: "poison", count: 3, oldest: 2, newest: 7 },
      { reason: "route", count: 1, oldest: 9, newest: 9 },
    ]);
    expect(await store.summarizeDeadLetters({ type: "t", before: 9 })).toEqual([
      { reason: "poison", count: 2, oldest: 2, newest: 5 },
    ]);
    expect(await store.summarizeDeadLetters({ type: "none" })).toEqual([]);
  });

  scenario("changes a letter that still holds what it was, and keeps its place", async (store) => {
    await store.recordDeadLetters([letter("a"), letter("b")]);
    const before = await store.deadLetter("a");
    const change = { record: '{"new":"\\u0000"}', original: "{}", edits: [{ at: 3, by: "key_1" }, { at: 4 }] };
    expect(await store.amendDeadLetter("a", "{}", change)).toBe(true);
    expect(await store.deadLetter("a")).toEqual(before && { ...before, ...change });
    expect(await store.amendDeadLetter("a", "{}", change)).toBe(false);
    expect(await store.amendDeadLetter("none", "{}", change)).toBe(false);
    expect(await ids(store)).toEqual(["a", "b"]);
  });

  scenario("gives a key to one owner at a time, until it is released or has run out", async (store) => {
    const claim = async (owner: string, keys: readonly string[], forMs = 60_000): Promise<readonly string[]> =>
      (await store.claimDeadLetterKeys(keys, owner, forMs)).toSorted();
    expect(await claim("one", ["a", "b"])).toEqual(["a", "b"]);
    expect(await claim("two", ["b", "c", "d'\"\\"])).toEqual(["c", "d'\"\\"]);
    expect(await claim("one", ["a", "b", "c"])).toEqual(["a", "b"]);
    await store.releaseDeadLetterKeys(["a", "c"], "one");
    expect(await claim("two", ["a", "b"])).toEqual(["a"]);
    expect(await claim("one", ["c"])).toEqual([]);
    expect(await claim("three", ["e"], 0)).toEqual(["e"]);
    expect(await claim("four", ["e", "e"])).toEqual(["e"]);
    expect(await claim("one", [])).toEqual([]);
    await store.releaseDeadLetterKeys([], "one");
  });

  scenario("gives a key to one of many that ask at once", async (store) => {
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
    const owners = Array.from({ length: 8 }, (_, i) => `o${i}`);
    const given = await Promise.all(
      owners.map((owner, i) => store.claimDeadLetterKeys(i % 2 === 0 ? keys : keys.toReversed(), owner, 60_000)),
    );
    expect(given.flat().toSorted()).toEqual(keys.toSorted());
  });

  scenario("removes dead letters, and says how many there were", async (store) => {
    await store.recordDeadLetters([letter("a"), letter("b"), letter("c")]);
    expect(await store.removeDeadLetters(["a", "c", "x"])).toBe(2);
    expect(await store.removeDeadLetters(["a"])).toBe(0);
    expect(await store.removeDeadLetters([])).toBe(0);
    expect(await ids(store)).toEqual(["b"]);
  });

  scenario("gives a dead letter that comes again after it was removed a new place, the last", async (store) => {
    await store.recordDeadLetters([letter("a"), letter("b")]);
    await store.removeDeadLetters(["a"]);
    await store.recordDeadLetters([letter("a")]);
    expect(await ids(store)).toEqual(["b", "a"]);
  });
}

function letter(id: string, given: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    reason: "poison",
    detail: "d",
    target: "t/k",
    attempts: 5,
    record: "{}",
    at: 1,
    type: "t",
    key: "t/k",
    ...given,
  };
}
