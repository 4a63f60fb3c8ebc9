import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  actor,
  createTroupe,
  memory,
  type Metrics,
  type NodeCounts,
  PARTITION_COUNT,
  type Sink,
  type TurnCounts,
} from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";
import { Buckets } from "./buckets.ts";

const Till = actor("till", {
  state: v.object({ total: v.number() }),
  initial: () => ({ total: 0 }),
  emits: { "till.filled.v1": v.object({ total: v.number() }) },
  messages: ({ command, query }) => ({
    fill: command({ in: v.number(), out: v.number() }, (c, by) => {
      c.require(by > 0, "not_positive");
      c.state.total += by;
      c.emit("till.filled.v1", { total: c.state.total });
      return c.state.total;
    }),
    touch: command({}, () => undefined),
    crash: command({}, () => {
      throw new Error("broken");
    }),
    later: command({}, (c) => c.timers.set("late", { in: "1h", send: "touch" })),
    total: query({ out: v.number() }, (c) => c.state.total),
  }),
});

/** Keeps what is attached, until it is detached. */
class Kept implements Metrics {
  counts: NodeCounts | undefined;
  attach(counts: NodeCounts): () => void {
    this.counts = counts;
    return () => void (this.counts = undefined);
  }
  tally(message: string): object | undefined {
    return this.of(message)?.tally;
  }
  of(message: string): TurnCounts | undefined {
    return [...(this.counts?.turns() ?? [])].find((turn) => turn.actor === "till" && turn.message === message);
  }
}

const deaf: Sink = {
  name: "broker",
  accepts: "event",
  lane: { kind: "batch", maxBatch: 10 },
  publish: async (records) => records.map(() => ({ kind: "acked" })),
  check: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

test("a node counts its turns by message and outcome, and a repeat is no turn", async () => {
  const metrics = new Kept();
  await using troupe = await createTroupe({ actors: [Till], stores: { default: memory() }, metrics });
  const till = troupe.ref(Till, "a");
  await till.fill(2, { id: "once" });
  await till.fill(2, { id: "once" });
  await till.fill(3);
  await till.fill(-1).catch(() => undefined);
  await till.touch();
  await till.crash().catch(() => undefined);
  await till.total();
  expect(metrics.tally("fill")).toEqual({ ok: 2, refused: 1, failed: 0, uncommitted: 0 });
  expect(metrics.tally("touch")).toEqual({ ok: 1, refused: 0, failed: 0, uncommitted: 0 });
  expect(metrics.tally("crash")).toEqual({ ok: 0, refused: 0, failed: 1, uncommitted: 0 });
  expect(metrics.tally("total")).toEqual({ ok: 1, refused: 0, failed: 0, uncommitted: 0 });
});

test("a node counts its commits, how many turns each held, and the turns that were not written", async () => {
  const metrics = new Kept();
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Till], stores: { default: faulty.store }, metrics });
  await Promise.all([troupe.ref(Till, "a").fill(1), troupe.ref(Till, "b").fill(1)]);
  faulty.next("refused");
  await troupe
    .ref(Till, "a")
    .fill(1)
    .catch(() => undefined);
  const { commitBatchTurns, commitSeconds } = metrics.counts ?? {};
  expect(metrics.tally("fill")).toMatchObject({ ok: 2, uncommitted: 1 });
  expect(commitBatchTurns?.sum).toBe(2);
  expect(total(metrics.of("fill")?.seconds.counts)).toBe(2);
  expect(total(commitSeconds?.counts)).toBe(total(commitBatchTurns?.counts));
});

test("a node shows actors, partitions, timers, and what its sinks have", async () => {
  const metrics = new Kept();
  const troupe = await createTroupe({ actors: [Till], stores: { default: memory() }, sinks: [deaf], metrics });
  await troupe.ref(Till, "a").fill(1);
  await troupe.ref(Till, "b").later();
  const { counts } = metrics;
  expect([...(counts?.activeActors() ?? [])]).toEqual([{ name: "till", value: 2 }]);
  expect([...(counts?.mailboxDepths() ?? [])]).toEqual([{ name: "till", value: 0 }]);
  expect([...(counts?.outboxPending() ?? [])].map(({ name }) => name)).toContain("broker");
  expect(counts?.partitionsOwned()).toBe(PARTITION_COUNT);
  expect(counts?.timersDue()).toBe(0);
  await troupe.stop();
  expect(total(counts?.publishSeconds.get("broker")?.counts)).toBe(1);
  expect(metrics.counts).toBeUndefined();
});

test("Buckets count a value under the smallest bound that holds it, and above the last one when none does", () => {
  const buckets = new Buckets([1, 5]);
  for (const value of [0, 1, 2, 5, 6]) buckets.add(value);
  expect(buckets.counts).toEqual([2, 2, 1]);
  expect(buckets.sum).toBe(14);
});

function total(counts: readonly number[] | undefined): number {
  return (counts ?? []).reduce((sum, count) => sum + count, 0);
}

test("an exemplar leads to a trace that can be looked at: one that is not recorded leaves none", () => {
  const buckets = new Buckets([1]);
  const trace = (flags: string): string => `00-${"a".repeat(32)}-${"b".repeat(16)}-${flags}`;
  buckets.add(0.5, trace("00"), 1);
  expect([buckets.counts, buckets.exemplars]).toEqual([[1, 0], []]);
  buckets.add(0.25, trace("01"), 2);
  buckets.add(0.75, trace("00"), 3);
  expect(buckets.exemplars).toEqual([{ traceparent: trace("01"), value: 0.25, atMs: 2 }]);
});
