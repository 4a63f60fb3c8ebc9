import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Store, type TroupeError } from "#runtime";
import { FaultyStore } from "#runtime/testing";

const Line = v.object({ sku: v.string(), quantity: v.number() });

const makeCart = (snapshotEvery: number) =>
  actor("cart", {
    state: v.object({ lines: v.array(Line), total: v.number(), last: v.string() }),
    initial: (key) => ({ lines: [], total: 0, last: key }),
    journal: { snapshotEvery },
    emits: {
      "cart.added.v1": v.object({ line: Line }),
      "cart.cleared.v1": v.object({}),
      "cart.seen.v1": v.object({ by: v.string() }),
    },
    apply: {
      "cart.added.v1": (state, { line }, meta) => {
        state.lines.push(line);
        state.total += line.quantity;
        state.last = `${meta.seq}:${meta.id}:${meta.at}`;
      },
      "cart.cleared.v1": () => ({ lines: [], total: 0, last: "cleared" }),
      "cart.seen.v1": null,
    },
    messages: ({ command, query }) => ({
      add: command({ in: Line, out: v.number() }, (c, line) => {
        c.emit("cart.added.v1", { line });
        return c.state.total; // already with the line
      }),
      addTwice: command({ in: Line, out: v.array(v.number()) }, (c, line) => {
        const before = c.state.total;
        c.emit("cart.added.v1", { line });
        const between = c.state.total;
        c.emit("cart.added.v1", { line });
        return [before, between, c.state.total];
      }),
      addAndRefuse: command({ in: Line }, (c, line) => {
        c.emit("cart.added.v1", { line });
        c.refuse("no");
      }),
      clear: command({}, (c) => c.emit("cart.cleared.v1", {})),
      see: command({ in: v.string() }, (c, by) => c.emit("cart.seen.v1", { by })),
      nothing: command({}, () => undefined),
      destroy: command({}, (c) => c.destroy()),
      meddle: command({ in: v.picklist(["assign", "nested", "push", "delete"]) }, (c, how) => {
        const loose = c as unknown as { state: { total?: number; lines: unknown[]; last: string } };
        if (how === "assign") loose.state = { total: 9, lines: [], last: "" };
        if (how === "nested") loose.state.total = 9;
        if (how === "push") loose.state.lines.push({ sku: "X", quantity: 1 });
        if (how === "delete") delete loose.state.total;
      }),
      get: query(
        { out: v.object({ total: v.number(), lines: v.number(), last: v.string(), exists: v.boolean() }) },
        (c) => ({
          total: c.state.total,
          lines: c.state.lines.length,
          last: c.state.last,
          exists: c.exists,
        }),
      ),
    }),
  });

const Cart = makeCart(3);
const line = (quantity: number) => ({ sku: "TEA-1", quantity });
const start = (store: Store, type = Cart) => createTroupe({ actors: [type], stores: { default: store } });
const snapshotOf = async (store: Store) => (await store.load([{ type: "cart", key: "a" }]))[0];

test("emit() changes the state at once, and the turn's reply sees it", async () => {
  await using troupe = await start(memory());
  const cart = troupe.ref(Cart, "a");
  expect(await cart.add(line(2))).toBe(2);
  expect(await cart.addTwice(line(1))).toEqual([2, 3, 4]);
  expect((await troupe.journal(Cart, "a")).map(({ seq, type, data }) => [seq, type, data])).toEqual([
    [1, "cart.added.v1", { line: line(2) }],
    [2, "cart.added.v1", { line: line(1) }],
    [3, "cart.added.v1", { line: line(1) }],
  ]);
  expect((await troupe.journal(Cart, "a", { after: 1, limit: 1 })).map(({ seq }) => seq)).toEqual([2]);
});

test("a refused turn leaves neither state nor journal", async () => {
  await using troupe = await start(memory());
  const cart = troupe.ref(Cart, "a");
  await cart.add(line(2));
  await cart.addAndRefuse(line(5)).catch(() => undefined);
  expect((await cart.get()).total).toBe(2);
  expect((await troupe.journal(Cart, "a")).length).toBe(1);
});

test("a handler that changes the state past its events fails, and changes nothing", async () => {
  await using troupe = await start(memory());
  const cart = troupe.ref(Cart, "a");
  await cart.add(line(2));
  for (const how of ["assign", "nested", "push", "delete"] as const) {
    const error = (await cart.meddle(how).catch((e: unknown) => e)) as TroupeError;
    expect([how, error.code, String(error.cause)]).toEqual([
      how,
      "turn_failed",
      'TypeError: Cannot change the state of cart/a in a handler as it is journaled: emit an event, and change it in "apply"',
    ]);
    expect(await cart.get()).toMatchObject({ total: 2, lines: 1 });
  }
});

test("a snapshot is written with the first event and every N events; loading replays the rest", async () => {
  const store = memory();
  await using troupe = await start(store);
  const versions: (number | undefined)[] = [];
  for (let i = 1; i <= 7; i++) {
    await troupe.ref(Cart, "a").add(line(i));
    versions.push((await snapshotOf(store))?.version);
  }
  expect(versions).toEqual([1, 1, 3, 3, 3, 6, 6]);
  const before = await troupe.ref(Cart, "a").get();
  expect((await troupe.list(Cart)).map(({ version, state }) => [version, state.total])).toEqual([[7, 28]]);
  await troupe.stop();
  await using second = await start(store);
  expect(await second.ref(Cart, "a").get()).toEqual(before);
  expect(await second.ref(Cart, "a").add(line(1))).toBe(29);
});

test("a snapshot of another schema version is not read: the state is made anew from the whole journal", async () => {
  const tally = (version: number, weight: number) =>
    actor("tally", {
      version,
      state: v.object({ sum: v.number() }),
      initial: () => ({ sum: 0 }),
      journal: { snapshotEvery: 1 },
      emits: { "tally.added.v1": v.object({ by: v.number() }) },
      apply: { "tally.added.v1": (state, { by }) => void (state.sum += by * weight) },
      messages: ({ command, query }) => ({
        add: command({ in: v.number() }, (c, by) => c.emit("tally.added.v1", { by })),
        sum: query({ out: v.number() }, (c) => c.state.sum),
      }),
    });
  const store = memory();
  const before = await createTroupe({ actors: [tally(1, 1)], stores: { default: store } });
  for (const by of [1, 2, 3]) await before.ref(tally(1, 1), "a").add(by);
  expect(await before.ref(tally(1, 1), "a").sum()).toBe(6);
  await before.stop();

  const Tenfold = tally(2, 10);
  await using after = await createTroupe({ actors: [Tenfold], stores: { default: store } });
  expect((await after.list(Tenfold)).map(({ state, version }) => [state, version])).toEqual([[{ sum: 60 }, 3]]);
  expect(await after.ref(Tenfold, "a").sum()).toBe(60);
  await after.ref(Tenfold, "a").add(4);
  expect((await after.list(Tenfold)).map(({ state }) => state)).toEqual([{ sum: 100 }]);
});

test("a turn without events writes nothing, and a null apply leaves the state and keeps the event", async () => {
  const store = memory();
  await using troupe = await start(store);
  const cart = troupe.ref(Cart, "a");
  await cart.nothing(undefined, { id: "m1" });
  expect(await cart.get()).toMatchObject({ exists: false, last: "a" });
  await cart.see("guest");
  expect(await cart.get()).toMatchObject({ exists: true, total: 0 });
  expect((await troupe.journal(Cart, "a")).map(({ type }) => type)).toEqual(["cart.seen.v1"]);
});

test("destroying an actor keeps its journal, and its next event starts from the initial state", async () => {
  const store = memory();
  await using troupe = await start(store);
  await troupe.ref(Cart, "a").add(line(2));
  await troupe.ref(Cart, "a").destroy();
  await troupe.ref(Cart, "a").destroy();
  expect(await snapshotOf(store)).toMatchObject({ state: undefined });
  await troupe.stop();
  await using second = await start(store);
  expect(await second.ref(Cart, "a").get()).toMatchObject({ exists: false, total: 0 });
  expect(await second.rebuild(Cart, "a")).toEqual({ events: 2, replaced: false });
  expect(await second.ref(Cart, "a").add(line(3))).toBe(3);
  expect((await second.journal(Cart, "a")).map(({ type }) => type)).toEqual([
    "cart.added.v1",
    "$destroyed",
    "cart.added.v1",
  ]);
  expect(await snapshotOf(store)).toMatchObject({ version: 3 });
});

test("rebuild() finds a right state right, and replaces a wrong snapshot", async () => {
  const store = memory();
  const first = await start(store);
  for (let i = 1; i <= 4; i++) await first.ref(Cart, "a").add(line(i));
  expect(await first.rebuild(Cart, "a")).toEqual({ events: 4, replaced: false });
  const right = await first.ref(Cart, "a").get();
  await first.stop();

  await store.heartbeat("meddler", 60_000);
  const grants = await store.acquire("meddler");
  const wrong = { lines: [], total: 99, last: "wrong" };
  await store.commit("meddler", {
    fences: grants.map(({ partition, epoch, lastSeq }) => ({ partition, epoch, lastSeq })),
    states: [{ type: "cart", key: "a", partition: 0, version: 3, state: JSON.stringify(wrong) }],
    replies: [],
    outbox: [],
    timers: [],
    index: [],
  });
  await store.release("meddler", grants);

  await using second = await start(store);
  expect((await second.ref(Cart, "a").get()).total).toBe(103);
  expect(await second.rebuild(Cart, "a")).toEqual({ events: 4, replaced: true });
  expect(await second.ref(Cart, "a").get()).toEqual(right);
  expect(JSON.parse((await snapshotOf(store))?.state ?? "null")).toMatchObject({ total: 10 });
  expect(await second.rebuild(Cart, "a")).toEqual({ events: 4, replaced: false });
});

test("rebuild() waits for turns that are still on their way to the store", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await start(faulty.store);
  await troupe.ref(Cart, "a").add(line(1));
  const release = faulty.hold();
  const added = troupe.ref(Cart, "a").add(line(2));
  const rebuilt = troupe.rebuild(Cart, "a");
  await Promise.resolve();
  release();
  expect(await added).toBe(3);
  expect(await rebuilt).toEqual({ events: 2, replaced: false });
});

test("rebuild() refuses an actor that is older than its journal", async () => {
  const Plain = actor("cart", {
    state: Cart.options.state,
    initial: Cart.options.initial,
    messages: ({ command }) => ({ set: command({ in: v.number() }, (c, n) => void (c.state.total = n)) }),
  });
  const store = memory();
  const first = await createTroupe({ actors: [Plain], stores: { default: store } });
  await first.ref(Plain, "a").set(5);
  await first.stop();
  await using second = await start(store);
  expect(await second.ref(Cart, "a").add(line(1))).toBe(6);
  const error = await second.rebuild(Cart, "a").catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "refused", reason: "journal_incomplete", data: { expected: 1, found: 2 } });
});

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("replaying the journal gives the state, for random turns with refusals, failed commits and restarts", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const below = random(seed);
    const type = makeCart(1 + below(5));
    const store = memory();
    const faulty = new FaultyStore(store);
    let troupe = await start(faulty.store, type);
    for (let step = 0; step < 40; step++) {
      const cart = troupe.ref(type, "a");
      const turn = [
        () => cart.add(line(below(9))),
        () => cart.addTwice(line(below(9))),
        () => cart.addAndRefuse(line(1)),
        () => cart.meddle("push"),
        () => cart.see("x"),
        () => cart.clear(),
        () => cart.nothing(),
        () => cart.destroy(),
      ][below(8)] as () => Promise<unknown>;
      if (below(8) === 0) faulty.next((["refused", "lost-before", "lost-after"] as const)[below(3)] ?? "refused");
      await Promise.allSettled(below(2) === 0 ? [turn(), cart.add(line(1)), turn()] : [turn()]);
      if (below(10) === 0) {
        await troupe.stop();
        troupe = await start(faulty.store, type);
      }
    }
    const seen = await troupe.ref(type, "a").get();
    const entries = await troupe.journal(type, "a", { limit: 1_000 });
    const replayed = replay(type, entries);
    expect([seed, entries.map(({ seq }) => seq)]).toEqual([seed, entries.map((_, i) => i + 1)]);
    expect([seed, seen]).toEqual([seed, replayed]);
    expect([seed, await troupe.rebuild(type, "a")]).toEqual([seed, { events: entries.length, replaced: false }]);
    await troupe.stop();
  }
}, 60_000);

/** What the journal says, worked out without the runtime. */
function replay(
  type: typeof Cart,
  entries: readonly { type: string; data: unknown; seq: number; id: string; at: number }[],
) {
  let state: { lines: unknown[]; total: number; last: string } | undefined;
  for (const { type: name, data, seq, id, at } of entries) {
    if (name === "$destroyed") {
      state = undefined;
      continue;
    }
    state ??= type.options.initial("a");
    if (name === "cart.cleared.v1") state = { lines: [], total: 0, last: "cleared" };
    if (name === "cart.added.v1") {
      const added = (data as { line: { quantity: number } }).line;
      state.lines.push(added);
      state.total += added.quantity;
      state.last = `${seq}:${id}:${at}`;
    }
  }
  const { lines, total, last } = state ?? type.options.initial("a");
  return { total, lines: lines.length, last, exists: state !== undefined };
}

test("a journaled type without an apply for each of its events is a type error, and refused", () => {
  const options = {
    state: v.object({ n: v.number() }),
    initial: () => ({ n: 0 }),
    journal: true as const,
    emits: { "x.one.v1": v.object({}), "x.two.v1": v.object({}) },
    messages: () => ({}),
  };
  expect(() => {
    // @ts-expect-error -- x.two.v1 is missing
    actor("x", { ...options, apply: { "x.one.v1": null } });
  }).toThrow('Cannot journal x as "apply" lacks x.two.v1: give a function, or null');
  expect(() =>
    actor("x", { ...options, journal: { snapshotEvery: 0 }, apply: { "x.one.v1": null, "x.two.v1": null } }),
  ).toThrow("expected a whole number from 1");
  actor("x", {
    ...options,
    apply: { "x.one.v1": null, "x.two.v1": null },
    messages: ({ command }) => ({
      wrong: command({}, (c) => {
        // @ts-expect-error -- the state of a journaled actor is read-only
        c.state.n = 1;
      }),
      replaced: command({}, (c) => {
        // @ts-expect-error -- and cannot be replaced
        c.state = { n: 1 };
      }),
    }),
  });
});

test("an actor whose journal cannot be replayed fails alone: its neighbours in the same load are used", async () => {
  const grow = (state: { n: number }): void => void state.n++;
  const common = { state: v.object({ n: v.number() }), initial: () => ({ n: 0 }), journal: true } as const;
  const Before = actor("book", {
    ...common,
    emits: { "book.old.v1": v.object({}), "book.new.v1": v.object({}) },
    apply: { "book.old.v1": grow, "book.new.v1": grow },
    messages: ({ command }) => ({
      old: command({}, (c) => c.emit("book.old.v1", {})),
      add: command({}, (c) => c.emit("book.new.v1", {})),
    }),
  });
  const After = actor("book", {
    ...common,
    emits: { "book.new.v1": v.object({}) },
    apply: { "book.new.v1": grow },
    messages: ({ query }) => ({ n: query({ out: v.number() }, (c) => c.state.n) }),
  });
  const store = memory();
  const before = await createTroupe({ actors: [Before], stores: { default: store } });
  await before.ref(Before, "bad").add();
  await before.ref(Before, "bad").old();
  await before.ref(Before, "good").add();
  await before.stop();
  await using after = await createTroupe({ actors: [After], stores: { default: store } });
  const [bad, good] = await Promise.allSettled([
    after.ref(After, "bad").n(undefined, { timeout: "2s" }),
    after.ref(After, "good").n(),
  ]);
  expect(good).toEqual({ status: "fulfilled", value: 1 });
  expect(bad).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
});
