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
    // A letter without a key keeps its order by its target.
    expect(await ids(store, { key: "t/2" })).toEqual(["d"]);
  });

  scenario("removes a dead letter, and says whether there was one", async (store) => {
    await store.recordDeadLetters([letter("a"), letter("b")]);
    expect(await store.removeDeadLetter("a")).toBe(true);
    expect(await store.removeDeadLetter("a")).toBe(false);
    expect(await ids(store)).toEqual(["b"]);
  });

  scenario("gives a dead letter that comes again after it was removed a new place, the last", async (store) => {
    await store.recordDeadLetters([letter("a"), letter("b")]);
    await store.removeDeadLetter("a");
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
