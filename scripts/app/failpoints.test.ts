import { expect, test } from "bun:test";
import { type CommitBatch, memory, type OutboxRecord, type Sink } from "#runtime";
import { failpoints, readFailpoint } from "./failpoints.ts";

const record = (target: string): OutboxRecord => ({
  partition: 1,
  seq: 1,
  kind: "routed",
  id: "rtd_1",
  name: "demo.made",
  actor: { type: "inbox", key: "1" },
  target,
  body: "{}",
  at: 5,
  traceparent: undefined,
});
const batch = (outbox: readonly OutboxRecord[]): CommitBatch => ({
  fences: [],
  states: [],
  replies: [],
  outbox,
  timers: [],
  index: [],
});
const sink: Sink = {
  name: "routed-kafka",
  accepts: "routed",
  lane: { kind: "keyed", maxInFlight: 1 },
  publish: async (records) =>
    records.map(({ target }) =>
      target.endsWith("bad") ? { kind: "refused", detail: "no" } : ({ kind: "acked" } as const),
    ),
  check: async () => undefined,
  close: async () => undefined,
};

test("readFailpoint() takes a name and a count, and nothing else", () => {
  expect(readFailpoint("after-commit:20")).toEqual({ name: "after-commit", nth: 20 });
  for (const bad of ["", "after-commit", "after-commit:0", "before-commit:1", "after-publish:x"])
    expect(readFailpoint(bad)).toBeUndefined();
});

test("failpoints() leaves stores and sinks as they are where none is set, or another one", () => {
  const store = memory();
  const { commit } = store;
  for (const failpoint of [undefined, { name: "after-publish", nth: 1 } as const])
    expect(failpoints(failpoint).store(store).commit).toBe(commit);
  expect(failpoints(undefined).sink(sink)).toBe(sink);
});

test("failpoints() ends the process after the nth commit that leaves something, once it is written", async () => {
  const events: string[] = [];
  const store = memory();
  store.commit = async (_, { outbox }) => void events.push(`commit ${outbox.length}`);
  failpoints({ name: "after-commit", nth: 2 }, () => events.push("end")).store(store);
  for (const outbox of [[record("a")], [], [record("b")], [record("c")]]) await store.commit("n", batch(outbox));
  expect(events).toEqual(["commit 1", "commit 0", "commit 1", "end", "commit 1"]);
});

test("failpoints() ends the process after the nth publish that was acknowledged", async () => {
  let ended = 0;
  const wrapped = failpoints({ name: "after-publish", nth: 2 }, () => ended++).sink(sink);
  for (const target of ["kafka:a:1", "kafka:bad"]) await wrapped.publish([record(target)], 1);
  expect(ended).toBe(0);
  await wrapped.publish([record("kafka:a:2")], 1);
  expect(ended).toBe(1);
});
