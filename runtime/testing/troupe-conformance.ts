/** What a running troupe promises on every store: size limits, and finding actors by their index. */
import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import { MAX_EVENT_LENGTH, MAX_STATE_LENGTH } from "../base/limits.ts";
import type { IndexFilter } from "../indexing/filter.ts";
import type { Page } from "../indexing/where.ts";
import { TroupeError } from "../message/errors.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { SharedStoreFixture } from "./control-conformance.ts";
import type { TestTools } from "./store-conformance.ts";

const Sheet = actor("sheet", {
  state: v.object({ text: v.string(), turns: v.number() }),
  initial: () => ({ text: "", turns: 0 }),
  emits: { "sheet.written.v1": v.object({ text: v.string() }) },
  messages: ({ command, query }) => ({
    write: command(
      { in: v.object({ state: v.number(), event: v.number() }), out: v.number() },
      (c, { state, event }) => {
        c.timers.set("later", { in: "1h", send: "touch" });
        c.send(Sheet, "other", "touch");
        c.emit("sheet.written.v1", { text: "e".repeat(event) });
        c.state.text = "s".repeat(state);
        return ++c.state.turns;
      },
    ),
    touch: command({}, (c) => void c.state.turns++),
    copy: command({ out: v.number() }, (c) => {
      c.timers.set("copied", { in: "1h", send: "touch" });
      c.emit("sheet.written.v1", { text: c.state.text });
      return c.state.turns;
    }),
    size: query({ out: v.array(v.number()) }, (c) => [c.state.text.length, c.state.turns]),
  }),
});

/** Lengths of what surrounds the text in JSON. */
const STATE_FRAME = '{"text":"","turns":1}'.length;
const EVENT_FRAME = '{"text":""}'.length;

const item = v.object({ onHand: v.number(), name: v.string(), sold: v.boolean(), note: v.nullable(v.string()) });
const change = v.partial(item);

/** The same actor type as three releases of a service have it. */
function itemActor<const Index extends "onHand" | "name" | "sold" | "note" = never>(...index: readonly Index[]) {
  return actor("item", {
    state: item,
    initial: () => ({ onHand: 0, name: "", sold: false, note: null }),
    index,
    messages: ({ command }) => ({
      change: command({ in: change }, (c, changes) => void Object.assign(c.state, changes)),
      refuseChange: command({ in: change }, (c, changes) => {
        Object.assign(c.state, changes);
        c.refuse("no");
      }),
      remove: command({}, (c) => c.destroy()),
    }),
  });
}

/**
 * Declares what a running node promises, whatever its store: size limits, filters by index, new indexes over old actors.
 * `make` gives a database of its own to each test.
 *
 * @example
 * ```ts
 * const store = memory();
 * troupeConformance("memory", async () => ({ store: () => store, [Symbol.asyncDispose]: async () => {} }), { test, expect });
 * ```
 */
export function troupeConformance(
  name: string,
  make: () => Promise<SharedStoreFixture>,
  { test, expect }: TestTools,
): void {
  const scenario = (title: string, run: (fixture: SharedStoreFixture) => Promise<void>): void => {
    test(`a troupe on ${name}: ${title}`, async () => {
      await using fixture = await make();
      await run(fixture);
    });
  };
  const code = (promise: Promise<unknown>): Promise<string | undefined> =>
    promise.then(
      () => undefined,
      (error: unknown) => (error instanceof TroupeError ? error.code : String(error)),
    );

  for (const [what, expected, over] of [
    ["state", "state_too_large", { state: MAX_STATE_LENGTH - STATE_FRAME + 1, event: 1 }],
    ["event", "event_too_large", { state: 1, event: MAX_EVENT_LENGTH - EVENT_FRAME + 1 }],
  ] as const) {
    scenario(
      `a turn whose ${what} is over the limit is refused and leaves no trace; the limit itself fits`,
      async (fixture) => {
        const store = fixture.store();
        await using troupe = await createTroupe({ actors: [Sheet], stores: { default: store } });
        const sheet = troupe.ref(Sheet, "a");
        expect(await code(sheet.write(over, { id: "m" }))).toBe(expected);
        expect(await sheet.size()).toEqual([0, 0]);
        const positions = [...Array(64).keys()].map((partition) => ({ partition, after: 0 }));
        const left = async (): Promise<readonly number[]> => [
          (await store.readOutbox("event", positions, 10)).length,
          (await store.readOutbox("send", positions, 10)).length,
          (await store.timers([...Array(64).keys()], Number.MAX_SAFE_INTEGER, 10)).length,
          (await store.load([{ type: "sheet", key: "a" }]))[0]?.replyIds.length ?? 0,
          (await store.list("sheet", { limit: 10, after: undefined })).length,
        ];
        expect(await left()).toEqual([0, 0, 0, 0, 0]);
        // Nothing holds the id, and the actor goes on.
        const fits = {
          state: Math.min(over.state, MAX_STATE_LENGTH - STATE_FRAME),
          event: Math.min(over.event, MAX_EVENT_LENGTH - EVENT_FRAME),
        };
        expect(await sheet.write(fits, { id: "m" })).toBe(1);
        expect(await sheet.size()).toEqual([fits.state, 1]);
        expect((await left()).slice(0, 4)).toEqual([1, 1, 1, 1]);
      },
    );
  }

  scenario(
    "a turn that changes no state is kept as a whole: reply, event and timer, beside the state before it",
    async (fixture) => {
      const store = fixture.store();
      {
        await using troupe = await createTroupe({ actors: [Sheet], stores: { default: store } });
        await troupe.ref(Sheet, "a").touch();
        expect(await troupe.ref(Sheet, "a").copy(undefined, { id: "m" })).toBe(1);
      }
      const again = fixture.store();
      await using troupe = await createTroupe({ actors: [Sheet], stores: { default: again } });
      const [loaded] = await again.load([{ type: "sheet", key: "a" }]);
      expect([loaded?.version, loaded?.replyIds]).toEqual([1, ["m"]]);
      expect((await again.timersOf({ type: "sheet", key: "a" })).map(({ name }) => name)).toEqual(["copied"]);
      expect(await troupe.ref(Sheet, "a").copy(undefined, { id: "m" })).toBe(1);
      await troupe.ref(Sheet, "a").touch();
      expect(await troupe.ref(Sheet, "a").copy(undefined, { id: "n" })).toBe(2);
      const positions = [...Array(64).keys()].map((partition) => ({ partition, after: 0 }));
      expect((await again.readOutbox("event", positions, 10)).length).toBe(2);
    },
  );

  scenario("where() finds actors by what their last committed turn left", async (fixture) => {
    const Item = itemActor("onHand", "name", "sold", "note");
    await using troupe = await createTroupe({ actors: [Item], stores: { default: fixture.store() } });
    const names = ["", "it's", 'a "b"', "a\\b", "{a,b}", "a\0b", "é", "😀", "x".repeat(300), `${"x".repeat(300)}y`];
    await Promise.all(
      names.map((called, i) =>
        troupe
          .ref(Item, `k${i}`)
          .change({ onHand: i - 3, name: called, sold: i % 2 === 0, note: i < 5 ? null : called }),
      ),
    );
    const keys = async (filter: IndexFilter<typeof Item>, page?: Page): Promise<string[]> =>
      (await troupe.where(Item, filter, page)).map(({ key }) => key);
    for (const [i, called] of names.entries()) expect(await keys({ name: called })).toEqual([`k${i}`]);
    expect(await keys({ name: { gte: "x".repeat(300) } })).toEqual(["k4", "k6", "k7", "k8", "k9"]);
    expect(await keys({ name: { gt: "x".repeat(300) } })).toEqual(["k4", "k6", "k7", "k9"]);
    expect(await keys({ name: { lt: "a\\b" } })).toEqual(["k0", "k2", "k5"]);
    expect(await keys({ onHand: { gte: -1, lt: 3 } })).toEqual(["k2", "k3", "k4", "k5"]);
    expect(await keys({ onHand: { gt: -3 }, sold: true, note: null })).toEqual(["k2", "k4"]);
    expect(await keys({ onHand: { in: [6, -3, 99] } })).toEqual(["k0", "k9"]);
    expect(await keys({ sold: false }, { limit: 2, after: "k1" })).toEqual(["k3", "k5"]);
    expect((await keys({})).length).toBe(names.length);

    expect(await code(troupe.ref(Item, "k0").refuseChange({ onHand: 77 }))).toBe("refused");
    await troupe.ref(Item, "k1").remove();
    await troupe.ref(Item, "k2").change({ onHand: 77 });
    await troupe.ref(Item, "k3").remove();
    await troupe.ref(Item, "k3").change({ onHand: 77 });
    expect(await keys({ onHand: 77 })).toEqual(["k2", "k3"]);
    expect(await keys({ name: "it's" })).toEqual([]);
    expect((await troupe.where(Item, { onHand: 77 }))[1]).toEqual({
      ...{ key: "k3", version: 3 },
      state: { onHand: 77, name: "", sold: false, note: null },
    });
  });

  scenario(
    "where() waits for actors that were stored before a field was indexed, and for those changed without it",
    async (fixture) => {
      const keys = Array.from({ length: 150 }, (_, i) => `k${i}`);
      const all = { limit: 200 };
      const indexed = itemActor("onHand");
      const found: number[] = [];
      for (const [release, Item] of [itemActor(), indexed, itemActor("name"), indexed].entries()) {
        await using troupe = await createTroupe({ actors: [Item], stores: { default: fixture.store() } });
        // While the index is being filled.
        const changed = keys.filter((_, i) => release === 0 || i % 4 === release);
        await Promise.all(changed.map((key) => troupe.ref(Item, key).change({ onHand: release })));
        if (Item === indexed)
          found.push((await onceComplete(() => troupe.where(indexed, { onHand: release }, all))).length);
      }
      expect(found).toEqual([keys.filter((_, i) => i % 4 === 1).length, keys.filter((_, i) => i % 4 === 3).length]);
    },
  );
}

async function onceComplete<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TroupeError && error.code === "index_incomplete" && error.retryable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
