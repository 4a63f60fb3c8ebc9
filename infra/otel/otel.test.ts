import { afterEach, expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Sink, type Troupe } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { type Otel, openOtel } from "./otel.ts";
import { UnrecordedRoots } from "./roots.ts";
import { bounded, OtelSettingError, samplingOf } from "./sampling.ts";
import { type KeptSpan, TraceStore } from "./trace-store.ts";

const Ledger = actor("ledger", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    note: command({ in: v.number(), out: v.number() }, (c, by) => (c.state.count += by)),
    count: query({}, (c) => c.state.count),
  }),
});
const Clerk = actor("clerk", {
  state: v.object({ done: v.number() }),
  initial: () => ({ done: 0 }),
  emits: { "clerk.worked.v1": v.object({}) },
  messages: ({ command }) => ({
    work: command({}, (c) => {
      c.state.done++;
      c.emit("clerk.worked.v1", {});
    }),
    ask: command({ out: v.number() }, (c) => c.ref(Ledger, "main").note(1)),
    write: command({}, (c) => c.send(Ledger, "main", "note", 2)),
    later: command({}, (c) => c.timers.set("work", { in: 1, send: "work" })),
    often: command({}, (c) => c.timers.set("work", { every: "1s", send: "work" })),
    refuse: command({}, (c) => c.refuse("closed")),
    fail: command({}, () => {
      throw new Error("ink is out");
    }),
  }),
});

const nothing: Sink = {
  name: "nothing",
  accepts: "event",
  lane: { kind: "batch", maxBatch: 100 },
  publish: (records) => Promise.resolve(records.map(() => ({ kind: "acked" }) as const)),
  check: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

let troupe: Troupe | undefined;
afterEach(async () => {
  await troupe?.stop();
  troupe = undefined;
});

async function open(
  sampling: () => boolean = () => true,
  callsBegin = true,
): Promise<{ node: Troupe; traces: TraceStore; tracing: Otel }> {
  const traces = new TraceStore();
  const tracing = openOtel({ processors: [traces], resource: { "service.name": "test" }, sampling, callsBegin });
  troupe = await createTroupe({
    actors: [Ledger, Clerk],
    stores: { default: memory() },
    sinks: [nothing],
    lanes: 1,
    tracing,
  });
  return { node: troupe, traces, tracing };
}

/** The spans of the newest trace once `names` are among them. */
async function spansOf(traces: TraceStore, names: readonly string[]): Promise<readonly KeptSpan[]> {
  let found: readonly KeptSpan[] = [];
  await eventually(`there is ${names.join()}`, 10_000, async () => {
    for (const { traceId } of traces.list({}, 100)) {
      found = traces.get(traceId)?.spans ?? [];
      if (names.every((name) => found.some((span) => span.name === name))) return true;
    }
    return false;
  });
  return found;
}

const named = (spans: readonly KeptSpan[], name: string): KeptSpan =>
  spans.find((span) => span.name === name) ?? expect.unreachable(`no span ${name}`);

test("a call has a trace of its turn, its commit, the wait in the outbox and each publish", async () => {
  const { node, traces } = await open();
  await node.ref(Clerk, "a").work();
  const spans = await spansOf(traces, ["clerk/work", "COMMIT memory", "outbox nothing", "publish clerk.worked.v1"]);
  const turn = named(spans, "clerk/work");
  expect(turn.parentSpanId).toBeNull();
  expect(turn.attributes).toMatchObject({ "rpc.method": "clerk/work", "troupe.actor.key": "a" });
  for (const name of ["COMMIT memory", "outbox nothing", "publish clerk.worked.v1"])
    expect(named(spans, name).parentSpanId).toBe(turn.spanId);
  expect(named(spans, "COMMIT memory").attributes).toMatchObject({ "db.operation.batch.size": 1 });
  expect(named(spans, "publish clerk.worked.v1")).toMatchObject({
    kind: "producer",
    attributes: { "messaging.system.name": "nothing", "messaging.operation.type": "send" },
  });
  expect(turn.endMs).toBeGreaterThanOrEqual(named(spans, "COMMIT memory").endMs);
});

test("asks, sends and timers that fire once stay in the trace; each tick of a recurring one begins its own", async () => {
  const { node, traces } = await open();
  await node.ref(Clerk, "a").ask();
  const asked = await spansOf(traces, ["clerk/ask", "ledger/note"]);
  expect(named(asked, "ledger/note").parentSpanId).toBe(named(asked, "clerk/ask").spanId);
  await node.ref(Clerk, "a").write();
  const sent = await spansOf(traces, ["clerk/write", "ledger/note", "publish note"]);
  expect(named(sent, "ledger/note").parentSpanId).toBe(named(sent, "clerk/write").spanId);
  await node.ref(Clerk, "a").later();
  const fired = await spansOf(traces, ["clerk/later", "clerk/work"]);
  expect(named(fired, "clerk/work").parentSpanId).toBe(named(fired, "clerk/later").spanId);
  await node.ref(Clerk, "b").often();
  await eventually("it is there", 10_000, async () =>
    traces.list({ text: "clerk/work" }, 10).some(({ name }) => name === "clerk/work"),
  );
});

test("a refusal is an answer and says why; a handler that throws is a failure", async () => {
  const { node, traces } = await open();
  await node
    .ref(Clerk, "a")
    .refuse()
    .catch(() => undefined);
  await node
    .ref(Clerk, "a")
    .fail()
    .catch(() => undefined);
  const [refused] = await spansOf(traces, ["clerk/refuse"]);
  expect(refused).toMatchObject({ failure: null, attributes: { "troupe.refused": "closed" } });
  const [failed] = await spansOf(traces, ["clerk/fail"]);
  expect(failed).toMatchObject({ failure: "ink is out", attributes: { "error.type": "Error" } });
  expect(traces.list({ failed: true }, 10).map(({ name }) => name)).toEqual(["clerk/fail"]);
});

test("a batch has a span in each of its traces, with links between the first and the others", async () => {
  const { node, traces } = await open();
  const keys = ["key-1", "key-2", "key-3"];
  const quiet = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00" };
  for (const key of keys) await node.ref(Clerk, key).work(undefined, quiet); // so that they are in memory
  await Promise.all(keys.map((key) => node.ref(Clerk, key).work()));
  const found = await Promise.all(
    keys.map(async (key) => {
      await eventually("it is there", 10_000, async () =>
        traces.list({ text: key }, 10).some(({ spans }) => spans >= 4),
      );
      const [summary] = traces.list({ text: key }, 1);
      return traces.get(summary?.traceId ?? "")?.spans ?? [];
    }),
  );
  const commits = found.map((spans) => named(spans, "COMMIT memory"));
  const main = commits.find(({ spanId }) => commits.some(({ links }) => links[0]?.spanId === spanId));
  const turns = found.map((spans) => named(spans, "clerk/work").spanId);
  expect(main?.links.length).toBeGreaterThan(0);
  expect(main?.links.length).toBe(Number(main?.attributes["db.operation.batch.size"]) - 1);
  for (const { spanId } of main?.links ?? []) expect(turns).toContain(spanId);
});

test("a call to another node has a span of its way there", async () => {
  const network = localNetwork();
  const stores = { default: memory() };
  const traces = new TraceStore();
  const tracing = openOtel({ processors: [traces], sampling: () => true });
  const shared = { actors: [Ledger], stores, tracing, leaseMs: 60_000 };
  await using owner = await createTroupe({ ...shared, transport: network.transport(), nodeId: "owner" });
  await using edge = await createTroupe({ ...shared, transport: network.transport(), owns: false });
  expect(owner.nodeId).toBe("owner");
  await edge.ref(Ledger, "a").note(1);
  const spans = await spansOf(traces, ["COMMIT memory"]);
  const turn = spans.find(({ name, kind }) => name === "ledger/note" && kind === "internal");
  const call = spans.find(({ name, kind }) => name === "ledger/note" && kind === "client");
  expect(call?.attributes).toMatchObject({ "troupe.node": "owner" });
  expect(turn?.parentSpanId).toBe(call?.spanId as string);
});

test("what is not sampled leaves no span, and its events say so", async () => {
  const { node, traces, tracing } = await open(() => false);
  await node.ref(Clerk, "a").work();
  await node.ref(Clerk, "a").ask();
  expect(traces.list({}, 10)).toEqual([]);
  expect(tracing.root()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test("where calls begin no trace, those within one are told of, and no others", async () => {
  const { node, traces, tracing } = await open(() => true, false);
  await node.ref(Ledger, "a").note(1);
  expect(traces.list({}, 10)).toEqual([]);
  await tracing.within(tracing.root(), () => node.ref(Ledger, "a").note(1));
  await spansOf(traces, ["ledger/note"]);
});

test("within a trace, calls that name none are part of it; a span is recorded under an id given out before", async () => {
  const { node, traces, tracing } = await open(() => false);
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await tracing.within(parent, () => node.ref(Ledger, "a").note(1));
  const [turn] = await spansOf(traces, ["ledger/note"]);
  expect(turn?.parentSpanId).toBe("b7ad6b7169203331");
  expect(tracing.within(parent, () => tracing.active())).toBe(parent);
  const [startedAt, endedAt] = [Date.UTC(2026, 0), Date.UTC(2026, 1)];
  const past = { name: "run", kind: "internal", parent, attributes: {}, startedAt, endedAt } as const;
  tracing.record({ ...past, spanId: "00000000000000aa" });
  const spans = await spansOf(traces, ["run"]);
  expect(named(spans, "run")).toMatchObject({ spanId: "00000000000000aa", startMs: startedAt, endMs: endedAt });
});

test("OTEL_TRACES_SAMPLER says what is recorded, and the parent's word counts where it is to", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  const by = (name: string, arg?: string) => samplingOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg });
  expect(by("always_on")(id, false)).toBe(true);
  expect(by("always_off")(id, true)).toBe(false);
  expect(by("parentbased_always_on")(id, false)).toBe(false);
  expect(by("parentbased_always_off")(id, true)).toBe(true);
  expect(by("parentbased_always_off")(id, undefined)).toBe(false);
  expect(by("traceidratio", "0")(id, true)).toBe(false);
  expect(by("traceidratio", "1")(id, undefined)).toBe(true);
  expect(() => by("sometimes")).toThrow(OtelSettingError);
  expect(() => by("traceidratio", "2")).toThrow(OtelSettingError);
});

test("without a setting a second has so many traces, also of callers that ask for each of theirs", () => {
  let now = 0;
  const sampling = bounded(() => now);
  const recorded = (times: number, parent?: boolean) =>
    Array.from({ length: times }, () => sampling("", parent)).filter(Boolean).length;
  expect([recorded(1_000), recorded(1_000, true), recorded(1_000, false)]).toEqual([20, 200, 0]);
  now = 1_000;
  expect([recorded(1_000, false), recorded(1_000)]).toEqual([0, 20]);
});

test("the store holds about what it may, and forgets the oldest trace first", () => {
  const store = new TraceStore(10_000);
  const span: KeptSpan = {
    ...{ spanId: "a", parentSpanId: null, name: "x", kind: "internal", service: "s" },
    ...{ startMs: 1, endMs: 2, failure: null, attributes: {}, links: [] },
  };
  for (let i = 0; i < 50; i++) store.add(String(i), { ...span, startMs: i, endMs: i + 1 });
  expect(store.bytes).toBeLessThanOrEqual(10_000);
  expect(store.get("0")).toBeUndefined();
  expect(store.get("49")?.spans).toHaveLength(1);
  for (let i = 0; i < 50; i++) store.add("49", { ...span, startMs: 49, endMs: 50 });
  expect(store.get("49")?.dropped).toBeGreaterThan(0);
  expect(store.list({}, 3).map(({ traceId }) => traceId)).toEqual(["49", "48", "47"]);
  expect(store.list({}, 1, { startMs: 48, traceId: "48" }).map(({ traceId }) => traceId)).toEqual(["47"]);
});

test("the sampler is asked for few of the traces that begin here, and turns down all for which it is not", () => {
  for (const ratio of ["0", "0.01", "0.3", "1"]) {
    const sampling = samplingOf({ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: ratio });
    const roots = new UnrecordedRoots();
    const seen = new Set<string>();
    let [asked, recorded] = [0, 0];
    for (let i = 0; i < 4_000; i++) {
      const at = roots.ahead();
      const never = sampling.never?.(roots.pool, at) === true;
      const root = roots.next();
      expect(root).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      seen.add(root.slice(3, 35));
      const wanted = sampling(root.slice(3, 35), undefined);
      expect(never && wanted).toBe(false);
      if (!never) asked++;
      if (wanted) recorded++;
    }
    expect(seen.size).toBe(4_000);
    expect(asked - recorded).toBeLessThan(80); // two of 256 at most, by chance
    expect(Math.abs(recorded / 4_000 - Number(ratio))).toBeLessThan(0.04);
  }
});
