import { CommitRefusedError } from "../../ports/store.ts";
import {
  AWKWARD,
  AWKWARD_JSON,
  batch,
  completeIndex,
  EVERY_KIND,
  everyKind,
  failure,
  fenceOf,
  K,
  kindsWritten,
  query,
  record,
  reply,
  replyOf,
  state,
  type Theme,
} from "./kit.ts";

/** One commit: all of it or nothing, to the byte. */
export const commits: Theme = (scenario, expect) => {
  scenario("writes every kind of row with one commit", async (store, grants) => {
    await completeIndex(store, grants);
    await store.commit("a", everyKind([{ ...fenceOf(grants, 1), lastSeq: 1 }]));
    expect(await kindsWritten(store)).toEqual(EVERY_KIND);
  });

  scenario("writes nothing when one row cannot be written", async (store, grants) => {
    await completeIndex(store, grants);
    const fences = [{ ...fenceOf(grants, 1), lastSeq: 1 }];
    await store.commit("a", { ...batch(grants), fences, outbox: [{ ...record(1, 1), id: "evt_first" }] });
    // The sequence number is taken.
    const error = await failure(store.commit("a", everyKind(fences)));
    expect(error).toBeInstanceOf(CommitRefusedError);
    expect(await kindsWritten(store)).toEqual([]);
    const [settled] = await store.settle("a", fences);
    expect(settled?.commitSeq).toBe(1);
  });

  scenario("reads back what a commit wrote, to the byte", async (store, grants) => {
    const stored = { id: "m", hash: "h", reply: '{"b":1,"a":2}' };
    await store.commit("a", {
      ...batch(grants, 1),
      states: [state("k", 1, AWKWARD_JSON)],
      replies: [{ ...reply("m"), ...stored }],
    });
    const [loaded, missing] = await store.load([K, { type: "t", key: "none" }]);
    expect(loaded).toEqual({
      state: AWKWARD_JSON,
      version: 1,
      schemaVersion: 1,
      replyIds: ["m"],
      repliesComplete: true,
    });
    expect(await replyOf(store, K, "m")).toEqual(stored);
    expect(missing).toEqual({ state: undefined, version: 0, schemaVersion: 1, replyIds: [], repliesComplete: true });
  });

  scenario("keeps quotes, backslashes and Unicode in every text it is given", async (store, grants) => {
    const actor = { type: "t", key: AWKWARD };
    const timer = { ...actor, partition: 1, name: AWKWARD, dueAt: 1, message: AWKWARD, input: AWKWARD_JSON };
    const sent = {
      ...record(1, 1),
      id: AWKWARD,
      name: AWKWARD,
      actor,
      target: AWKWARD,
      body: AWKWARD_JSON,
      traceparent: AWKWARD,
    };
    const answered = { id: AWKWARD, hash: AWKWARD, reply: AWKWARD_JSON };
    await completeIndex(store, grants, [AWKWARD]);
    await store.commit("a", {
      fences: [{ ...fenceOf(grants, 1), lastSeq: 1 }],
      states: [state(AWKWARD, 1, AWKWARD_JSON)],
      replies: [{ ...actor, ...answered, partition: 1, at: 1 }],
      outbox: [sent],
      timers: [timer],
      index: [{ ...actor, partition: 1, field: AWKWARD, value: AWKWARD }],
    });
    await store.saveCursors([{ sink: AWKWARD, partition: 1, seq: 1 }]);
    expect((await store.load([actor]))[0]).toEqual({
      state: AWKWARD_JSON,
      version: 1,
      schemaVersion: 1,
      replyIds: [AWKWARD],
      repliesComplete: true,
    });
    expect(await replyOf(store, actor, AWKWARD)).toEqual(answered);
    expect(await store.readOutbox("event", [{ partition: 1, after: 0 }], 1)).toEqual([sent]);
    expect(await store.timers([1], 2, 1)).toEqual([timer]);
    expect(await store.cursors([1])).toEqual([{ sink: AWKWARD, partition: 1, seq: 1 }]);
    const found = await store.where({ ...query({ field: AWKWARD, values: [AWKWARD] }), fields: [AWKWARD] });
    expect(found).toEqual([{ key: AWKWARD, version: 1, schemaVersion: 1, state: AWKWARD_JSON }]);
  });

  scenario("replaces the state, and deletes that of an actor that was destroyed", async (store, grants) => {
    await store.commit("a", { ...batch(grants, 1), states: [state("k")] });
    await store.commit("a", { ...batch(grants, 1), states: [{ ...state("k", 1, "[]"), version: 2 }] });
    expect((await store.load([K]))[0]).toEqual({
      state: "[]",
      version: 2,
      schemaVersion: 1,
      replyIds: [],
      repliesComplete: true,
    });
    await store.commit("a", { ...batch(grants, 1), states: [{ ...K, partition: 1, version: 3, state: undefined }] });
    expect((await store.load([K]))[0]?.state).toBe(undefined);
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

  scenario("writes 2,000 turns of all partitions at once", async (store, grants) => {
    const turns = Array.from({ length: 2_000 }, (_, i) => ({ key: `k${i}`, partition: i % grants.size, i }));
    const seqOf = (i: number): number => Math.floor(i / grants.size) + 1;
    const fences = [...grants.keys()].map((partition) => ({
      ...fenceOf(grants, partition),
      lastSeq: turns.filter((turn) => turn.partition === partition).length,
    }));
    await store.commit("a", {
      fences,
      states: turns.map(({ key, partition, i }) => state(key, partition, `{"i":${i}}`)),
      replies: turns.map(({ key, partition, i }) => ({ ...reply(`m${i}`), key, partition, reply: String(i) })),
      outbox: turns.map(({ partition, i }) => ({ ...record(partition, seqOf(i)), body: String(i) })),
      timers: turns.map(({ key, partition, i }) => ({
        ...{ type: "t", key, partition, name: "n", dueAt: i, message: "m" },
        input: undefined,
      })),
      index: turns.map(({ key, partition, i }) => ({ type: "t", key, partition, field: "f", value: `3${i}` })),
    });
    const loaded = await store.load(turns.map(({ key }) => ({ type: "t", key })));
    expect(loaded.map((actor) => [actor.state, ...actor.replyIds])).toEqual(
      turns.map(({ i }) => [`{"i":${i}}`, `m${i}`]),
    );
    const replies = await store.findReplies(turns.map(({ key, i }) => ({ type: "t", key, id: `m${i}` })));
    expect(replies.map((found) => found?.reply)).toEqual(turns.map(({ i }) => String(i)));
    const positions = [...grants.keys()].map((partition) => ({ partition, after: 0 }));
    const sent = await store.readOutbox("event", positions, 2_000);
    expect(sent.length).toBe(2_000);
    expect(sent.every(({ partition, seq, body }) => (seq - 1) * grants.size + partition === Number(body))).toBe(true);
    expect((await store.timers([...grants.keys()], 2_000, 5_000)).length).toBe(2_000);
    await completeIndex(store, grants);
    expect((await store.where(query({ field: "f", values: ["31999"] })))?.map(({ key }) => key)).toEqual(["k1999"]);
  });
};
