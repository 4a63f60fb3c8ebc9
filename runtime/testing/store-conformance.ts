/**
 * The promises of the store port, as tests that every store runs. The test functions come from the caller, because the
 * runtime imports no test runner.
 */
import { PARTITION_COUNT } from "../address.ts";
import {
  type CommitBatch,
  FencedError,
  type Grant,
  type JournalRecord,
  type OutboxRecord,
  type Store,
} from "../ports/store.ts";

/** The parts of a test runner that the suite needs; `bun:test` fits. */
export interface TestTools {
  test(name: string, run: () => Promise<void>): void;
  expect(value: unknown): {
    toEqual(expected: unknown): void;
    toBe(expected: unknown): void;
    toBeInstanceOf(expected: unknown): void;
  };
}

/** A store and what has to be cleaned up after it. */
export interface StoreFixture extends AsyncDisposable {
  readonly store: Store;
}

/** Runs the suite against the store that `make` gives: an empty one each time, not yet opened. */
export function storeConformance(name: string, make: () => Promise<StoreFixture>, { test, expect }: TestTools): void {
  const scenario = (title: string, run: (store: Store, grants: ReadonlyMap<number, Grant>) => Promise<void>): void => {
    test(`${name} store: ${title}`, async () => {
      await using fixture = await make();
      const { store } = fixture;
      await store.open();
      await store.heartbeat("a", 60_000);
      const grants = new Map((await store.acquire("a")).map((grant) => [grant.partition, grant]));
      await run(store, grants);
      await store.close();
    });
  };

  scenario("gives every partition to the first node that asks", async (store, grants) => {
    expect(grants.size).toBe(PARTITION_COUNT);
    await store.heartbeat("b", 60_000);
    expect(await store.acquire("b")).toEqual([]);
    const owners = await store.heartbeat("b", 60_000);
    expect(owners.every((row) => row.owner === "a")).toBe(true);
  });

  scenario("lets another node take what was released, under a higher epoch", async (store, grants) => {
    await store.release("a", [fenceOf(grants, 3)]);
    await store.heartbeat("b", 60_000);
    const taken = await store.acquire("b");
    expect(taken.map((grant) => grant.partition)).toEqual([3]);
    expect((taken[0]?.epoch ?? 0) > fenceOf(grants, 3).epoch).toBe(true);
  });

  scenario("lets another node take over when the lease has run out", async (store) => {
    await store.heartbeat("a", 1);
    await store.heartbeat("b", 60_000);
    let taken: readonly Grant[] = [];
    while (taken.length === 0) taken = await store.acquire("b");
    expect(taken.length).toBe(PARTITION_COUNT);
  });

  scenario("gives of the free partitions those that were asked for", async (store, grants) => {
    await store.release(
      "a",
      [3, 4, 5].map((partition) => fenceOf(grants, partition)),
    );
    await store.heartbeat("b", 60_000);
    expect((await store.acquire("b", [4, 9])).map((grant) => grant.partition)).toEqual([4]);
    await store.heartbeat("a", 0);
    expect((await store.acquire("b", [4, 9])).map((grant) => grant.partition)).toEqual([9]);
    expect(await store.acquire("b", [])).toEqual([]);
  });

  scenario("tells who lives, since when, and what they say of themselves", async (store) => {
    const card = { address: "http://b:1", owns: true, types: ["t"], leaseMs: 60_000 };
    await store.heartbeat("b", 60_000, { ...card, contracts: "first" });
    const [a, b] = await store.nodes();
    expect([a?.id, a?.card]).toEqual(["a", undefined]);
    expect([b?.id, b?.card]).toEqual(["b", card]);
    const left = b?.leaseLeftMs ?? 0;
    expect(left > 50_000 && left <= 60_000).toBe(true);
    expect(Math.abs((b?.since ?? 0) - Date.now()) < 30_000).toBe(true);
    expect(await store.contracts()).toEqual([{ node: "b", contracts: "first" }]);
    // What was said stays; what is said anew replaces it, but for contracts that are not mentioned.
    await store.heartbeat("b", 60_000);
    await store.heartbeat("b", 60_000, { ...card, owns: false, address: undefined });
    const again = (await store.nodes())[1];
    expect(again?.card).toEqual({ ...card, owns: false, address: undefined });
    expect(again?.since).toBe(b?.since);
    expect((await store.contracts())[0]?.contracts).toBe("first");
    await store.heartbeat("b", 0);
    expect((await store.nodes()).map((node) => node.id)).toEqual(["a"]);
    expect(await store.contracts()).toEqual([]);
  });

  scenario("reads back what a commit wrote, to the byte", async (store, grants) => {
    const state = '{"text":"a\\u0000b \\" \\\\ é 😀","number":1e21,"order":{"z":1,"a":2}}';
    await store.commit("a", {
      ...batch(grants, 1),
      states: [{ type: "t", key: "k", partition: 1, version: 1, state }],
      replies: [{ type: "t", key: "k", id: "m", hash: "h", reply: '{"b":1,"a":2}', partition: 1, at: 5 }],
    });
    const [loaded, missing] = await store.load([
      { type: "t", key: "k" },
      { type: "t", key: "none" },
    ]);
    expect(loaded).toEqual({
      state,
      version: 1,
      schemaVersion: 1,
      replies: [{ id: "m", hash: "h", reply: '{"b":1,"a":2}' }],
      repliesComplete: true,
    });
    expect(missing).toEqual({ state: undefined, version: 0, schemaVersion: 1, replies: [], repliesComplete: true });
    expect(await store.findReply({ type: "t", key: "k" }, "m")).toEqual({ id: "m", hash: "h", reply: '{"b":1,"a":2}' });
    expect(await store.findReply({ type: "t", key: "k" }, "other")).toBe(undefined);
  });

  scenario("deletes the state of an actor that was destroyed", async (store, grants) => {
    const write = { type: "t", key: "k", partition: 1, version: 1 };
    await store.commit("a", { ...batch(grants, 1), states: [{ ...write, state: "{}" }] });
    await store.commit("a", { ...batch(grants, 1), states: [{ ...write, version: 2, state: undefined }] });
    expect((await store.load([{ type: "t", key: "k" }]))[0]?.state).toBe(undefined);
  });

  scenario("refuses a commit under an old epoch and writes nothing of it", async (store, grants) => {
    await store.settle("a", [fenceOf(grants, 1)]);
    const error = await failure(
      store.commit("a", {
        ...batch(grants, 1, 2),
        states: [{ type: "t", key: "k", partition: 2, version: 1, state: "{}" }],
      }),
    );
    expect(error).toBeInstanceOf(FencedError);
    expect((await store.load([{ type: "t", key: "k" }]))[0]?.state).toBe(undefined);
    const [two] = await store.settle("a", [fenceOf(grants, 2)]);
    expect(two?.commitSeq).toBe(0);
  });

  scenario("refuses a commit of a node that does not hold the partition", async (store, grants) => {
    expect(await failure(store.commit("b", batch(grants, 1)))).toBeInstanceOf(FencedError);
  });

  scenario("counts commits per partition, and tells them when settled", async (store, grants) => {
    await store.commit("a", {
      ...batch(grants, 1),
      outbox: [record(1, 1), record(1, 2)],
      fences: [{ ...fenceOf(grants, 1), lastSeq: 2 }],
    });
    const [settled] = await store.settle("a", [fenceOf(grants, 1)]);
    expect({ commitSeq: settled?.commitSeq, lastSeq: settled?.lastSeq }).toEqual({ commitSeq: 1, lastSeq: 2 });
    expect(await store.settle("b", [fenceOf(grants, 1)])).toEqual([]);
  });

  scenario("reads the outbox in order, by kind, from a position on", async (store, grants) => {
    const outbox = [record(1, 1), { ...record(1, 2), kind: "send" as const }, record(1, 3), record(2, 1)];
    const fences = [
      { ...fenceOf(grants, 1), lastSeq: 3 },
      { ...fenceOf(grants, 2), lastSeq: 1 },
    ];
    await store.commit("a", { ...batch(grants, 1, 2), outbox, fences });
    await store.commit("a", {
      ...batch(grants, 1),
      outbox: [record(1, 4), record(1, 5)],
      fences: [{ ...fenceOf(grants, 1), lastSeq: 5 }],
    });
    const positions = [
      { partition: 1, after: 1 },
      { partition: 2, after: 0 },
    ];
    const all = await store.readOutbox("event", positions, 10);
    expect(all.map(({ partition, seq }) => [partition, seq])).toEqual([
      [1, 3],
      [1, 4],
      [1, 5],
      [2, 1],
    ]);
    expect(all[0]).toEqual(record(1, 3));
    const some = await store.readOutbox("event", positions, 1);
    const first = some.filter(({ partition }) => partition === 1);
    expect(first.length > 0).toBe(true);
    expect(first).toEqual(all.slice(0, first.length));
  });

  scenario("keeps broadcasts apart from events, to the byte", async (store, grants) => {
    const broadcast = {
      ...record(1, 2),
      kind: "broadcast" as const,
      id: "brd_1",
      name: "order.changed",
      target: "orders/ord_1",
    };
    const fences = [{ ...fenceOf(grants, 1), lastSeq: 3 }];
    await store.commit("a", { ...batch(grants, 1), outbox: [record(1, 1), broadcast, record(1, 3)], fences });
    expect(await store.readOutbox("broadcast", [{ partition: 1, after: 0 }], 10)).toEqual([broadcast]);
    const events = await store.readOutbox("event", [{ partition: 1, after: 0 }], 10);
    expect(events.map(({ seq }) => seq)).toEqual([1, 3]);
  });

  scenario("keeps a journal per actor, and writes none of it under an old epoch", async (store, grants) => {
    const rows = [journalRow("k", 1, 4), journalRow("k", 2, 6), journalRow("other", 1, 5), journalRow("k", 3, 0)];
    await store.commit("a", { ...batch(grants, 1), journal: rows });
    const page = await store.readJournal(
      [
        { type: "t", key: "other", after: 0 },
        { type: "t", key: "k", after: 1 },
      ],
      1,
    );
    expect(page).toEqual([journalRow("other", 1, 5), journalRow("k", 2, 6)]);
    expect(await store.readJournal([{ type: "t", key: "k", after: 3 }], 10)).toEqual([]);
    await store.settle("a", [fenceOf(grants, 1)]);
    const error = await failure(store.commit("a", { ...batch(grants, 1), journal: [journalRow("k", 4, 7)] }));
    expect(error).toBeInstanceOf(FencedError);
    expect((await store.readJournal([{ type: "t", key: "k", after: 0 }], 10)).map((row) => row.seq)).toEqual([1, 2, 3]);
  });

  scenario("reads the journaled events of a type by partition, as the outbox had them", async (store, grants) => {
    const rows = [
      journalRow("k", 1, 4),
      journalRow("l", 1, 2),
      journalRow("k", 2, 0),
      { ...journalRow("m", 1, 9), partition: 2, traceparent: undefined },
      { ...journalRow("k", 1, 3), type: "u" },
    ];
    await store.commit("a", { ...batch(grants, 1, 2), journal: rows });
    const read = await store.readHistory(
      "t",
      [
        { partition: 2, after: 8 },
        { partition: 1, after: 0 },
      ],
      10,
    );
    expect(read.map(({ partition, seq, actor }) => [partition, seq, actor.key])).toEqual([
      [2, 9, "m"],
      [1, 2, "l"],
      [1, 4, "k"],
    ]);
    expect(read[2]).toEqual({
      ...record(1, 4),
      actor: { type: "t", key: "k" },
      id: "evt_k_1",
      body: '{"n":1}',
      traceparent: "00-1-2-01",
    });
    expect((await store.readHistory("t", [{ partition: 1, after: 2 }], 10)).length).toBe(1);
  });

  scenario("moves cursors forward only", async (store) => {
    await store.saveCursors([{ sink: "s", partition: 1, seq: 5 }]);
    await store.saveCursors([{ sink: "s", partition: 1, seq: 3 }]);
    expect(await store.cursors([1, 2])).toEqual([{ sink: "s", partition: 1, seq: 5 }]);
  });

  scenario("prunes only what every sink has passed and what is old", async (store, grants) => {
    // Commits one by one: what one commit wrote may go together, once all of it may.
    for (const one of [record(1, 1), record(1, 2), { ...record(1, 3), at: 99 }, record(1, 4)]) {
      await store.commit("a", {
        ...batch(grants, 1),
        outbox: [one],
        fences: [{ ...fenceOf(grants, 1), lastSeq: one.seq }],
      });
    }
    await store.saveCursors([{ sink: "x", partition: 1, seq: 3 }]);
    expect(await store.pruneOutbox([1], ["x", "y"], 50)).toBe(0);
    await store.saveCursors([{ sink: "y", partition: 1, seq: 4 }]);
    expect(await store.pruneOutbox([1], ["x", "y"], 50)).toBe(2);
    const left = await store.readOutbox("event", [{ partition: 1, after: 0 }], 10);
    expect(left.map((row) => row.seq)).toEqual([3, 4]);
  });

  scenario("replaces a timer of the same name, lists by due time, and removes it", async (store, grants) => {
    const timer = { type: "t", key: "k", partition: 1, name: "n", message: "m", input: '{"a":1}' };
    await store.commit("a", {
      ...batch(grants, 1),
      timers: [
        { ...timer, dueAt: 10 },
        { ...timer, name: "o", dueAt: 5 },
      ],
    });
    await store.commit("a", { ...batch(grants, 1), timers: [{ ...timer, dueAt: 20, input: undefined }] });
    expect((await store.timers([1], 15, 10)).map((row) => row.name)).toEqual(["o"]);
    expect(await store.timers([1], 21, 1)).toEqual([{ ...timer, name: "o", dueAt: 5 }]);
    expect((await store.timers([1], 21, 10))[1]).toEqual({ ...timer, dueAt: 20, input: undefined });
    await store.commit("a", {
      ...batch(grants, 1),
      timers: [{ type: "t", key: "k", partition: 1, name: "n", dueAt: undefined }],
    });
    expect((await store.timers([1, 2], 100, 10)).length).toBe(1);
    expect(await store.timers([2], 100, 10)).toEqual([]);
  });

  scenario("buries a timer with its dead letter, unless it was set anew", async (store, grants) => {
    const timer = { type: "t", key: "k", partition: 1, name: "n", message: "m", input: undefined, dueAt: 10 };
    const letter = { id: "l", reason: "poison" as const, detail: "d", target: "t/k", attempts: 5, record: "{}", at: 1 };
    await store.commit("a", { ...batch(grants, 1), timers: [timer, { ...timer, name: "o", dueAt: 11 }] });
    await store.recordDeadLetters([letter, { ...letter, id: "l2" }], [timer, { ...timer, name: "o", dueAt: 10 }]);
    await store.recordDeadLetters([letter]);
    expect((await store.timers([1], 100, 10)).map((row) => row.name)).toEqual(["o"]);
  });

  scenario("lists the actors of a type in pages", async (store, grants) => {
    const states = ["b", "a", "c"].map((key) => ({
      type: "t",
      key,
      partition: 1,
      version: 1,
      state: `{"k":"${key}"}`,
    }));
    await store.commit("a", { ...batch(grants, 1), states: [...states, { ...states[0]!, type: "other" }] });
    expect((await store.list("t", { limit: 2, after: undefined })).map((row) => row.key)).toEqual(["a", "b"]);
    expect(await store.list("t", { limit: 2, after: "b" })).toEqual([
      { key: "c", version: 1, schemaVersion: 1, state: '{"k":"c"}' },
    ]);
  });

  scenario("keeps the schema version a state was written with, and 1 where none was given", async (store, grants) => {
    const write = { type: "t", partition: 1, version: 1, state: "{}" };
    const states = [
      { ...write, key: "plain" },
      { ...write, key: "versioned", schemaVersion: 2 },
    ];
    await store.commit("a", { ...batch(grants, 1), states });
    await store.commit("a", { ...batch(grants, 1), states: [{ ...write, key: "versioned", schemaVersion: 3 }] });
    const loaded = await store.load(states);
    expect(loaded.map((actor) => actor.schemaVersion)).toEqual([1, 3]);
    const listed = await store.list("t", { limit: 9, after: undefined });
    expect(listed.map((actor) => actor.schemaVersion)).toEqual([1, 3]);
    await store.commit("a", { ...batch(grants, 1), states: [{ ...write, key: "versioned", state: undefined }] });
    await store.commit("a", { ...batch(grants, 1), states: [{ ...write, key: "versioned" }] });
    expect((await store.load([{ type: "t", key: "versioned" }]))[0]?.schemaVersion).toBe(1);
  });

  scenario("forgets replies older than asked", async (store, grants) => {
    const reply = { type: "t", key: "k", hash: "h", reply: undefined, partition: 1 };
    await store.commit("a", {
      ...batch(grants, 1),
      replies: [
        { ...reply, id: "old", at: 1 },
        { ...reply, id: "new", at: 10 },
      ],
    });
    expect(await store.pruneReplies(5)).toBe(1);
    expect(await store.findReply({ type: "t", key: "k" }, "old")).toBe(undefined);
    expect((await store.findReply({ type: "t", key: "k" }, "new"))?.id).toBe("new");
  });
}

function fenceOf(grants: ReadonlyMap<number, Grant>, partition: number): { partition: number; epoch: number } {
  return { partition, epoch: grants.get(partition)?.epoch ?? 0 };
}

function batch(grants: ReadonlyMap<number, Grant>, ...partitions: number[]): CommitBatch {
  const fences = partitions.map((partition) => ({ ...fenceOf(grants, partition), lastSeq: 0 }));
  return { fences, states: [], replies: [], outbox: [], timers: [] };
}

function record(partition: number, seq: number): OutboxRecord {
  return {
    partition,
    seq,
    kind: "event",
    id: `evt_${partition}_${seq}`,
    name: "t.happened.v1",
    actor: { type: "t", key: "k" },
    target: "k",
    body: '{"z":1,"a":"\\u0000"}',
    at: 7,
    traceparent: undefined,
  };
}

function journalRow(key: string, seq: number, position: number): JournalRecord {
  return {
    type: "t",
    key,
    seq,
    partition: 1,
    position,
    id: `evt_${key}_${seq}`,
    name: "t.happened.v1",
    data: `{"n":${seq}}`,
    at: 7,
    traceparent: "00-1-2-01",
  };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
