import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type OutboxRecord, type PublishResult, type Sink, type Store } from "#runtime";

const Source = actor("source", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  emits: { "source.ticked.v1": v.object({ n: v.number() }) },
  messages: ({ command }) => ({
    tick: command({}, (c) => {
      c.emit("source.ticked.v1", { n: ++c.state.n });
    }),
    burst: command({ in: v.object({ times: v.number() }) }, (c, { times }) => {
      for (let i = 0; i < times; i++) c.emit("source.ticked.v1", { n: ++c.state.n });
    }),
  }),
});

/** A sink that can be down, can refuse single records, and keeps what it took. */
class TestSink implements Sink {
  readonly name: string;
  readonly accepts = "event";
  readonly lane: Sink["lane"];
  readonly taken: OutboxRecord[] = [];
  down = false;
  tries = 0;
  refuse: (record: OutboxRecord) => boolean = () => false;
  takes?: (record: OutboxRecord) => boolean;

  constructor(name: string, lane: Sink["lane"] = { kind: "batch", maxBatch: 50 }) {
    this.name = name;
    this.lane = lane;
  }

  publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    this.tries++;
    if (this.down) return Promise.reject(new Error("down"));
    const results = records.map((record): PublishResult => {
      if (this.refuse(record)) return { kind: "refused", detail: "too large" };
      this.taken.push(record);
      return { kind: "acked" };
    });
    return Promise.resolve(results);
  }

  check = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();

  numbers(): number[] {
    return this.taken.map((record) => (JSON.parse(record.body) as { n: number }).n);
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("Still not so after 5 s");
    await Bun.sleep(2);
  }
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

test("events reach every sink in the order they were emitted", async () => {
  const sinks = [new TestSink("one"), new TestSink("two", { kind: "keyed", maxInFlight: 4 })];
  await using troupe = await createTroupe({ actors: [Source], stores: { default: memory() }, sinks });
  for (let i = 0; i < 120; i++) await troupe.ref(Source, "a").tick();
  await until(() => sinks.every((sink) => sink.taken.length === 120));
  for (const sink of sinks) expect(sink.numbers()).toEqual(upTo(120));
});

test("a sink that is down holds up no other, and gets everything in order when it is back", async () => {
  const up = new TestSink("up");
  const down = new TestSink("down");
  down.down = true;
  await using troupe = await createTroupe({ actors: [Source], stores: { default: memory() }, sinks: [up, down] });
  for (let i = 0; i < 30; i++) await troupe.ref(Source, "a").tick();
  await until(() => up.taken.length === 30 && down.tries > 0);
  expect(troupe.status().sinks.find((sink) => sink.name === "down")).toEqual({
    name: "down",
    pending: 30,
    failing: "down",
  });
  down.down = false;
  await until(() => down.taken.length === 30);
  expect(down.numbers()).toEqual(upTo(30));
});

test("a record the sink refuses becomes a dead letter and the lane goes on", async () => {
  const store = memory();
  const letters: string[] = [];
  const record = store.recordDeadLetters.bind(store);
  store.recordDeadLetters = (batch) => {
    letters.push(...batch.map((letter) => `${letter.reason} ${letter.target} ${letter.detail}`));
    return record(batch);
  };
  const sink = new TestSink("picky");
  sink.refuse = (candidate) => candidate.body === '{"n":2}';
  await using troupe = await createTroupe({ actors: [Source], stores: { default: store }, sinks: [sink] });
  await troupe.ref(Source, "a").burst({ times: 3 });
  await until(() => sink.taken.length === 2);
  expect(sink.numbers()).toEqual([1, 3]);
  expect(letters).toEqual(["broker picky too large"]);
});

test("more than memory may hold is read from the table later, each event once and in order", async () => {
  const sink = new TestSink("slow", { kind: "batch", maxBatch: 1_000 });
  sink.down = true;
  await using troupe = await createTroupe({ actors: [Source], stores: { default: memory() }, sinks: [sink] });
  for (let i = 0; i < 5; i++) await troupe.ref(Source, "a").burst({ times: 9_000 });
  sink.down = false;
  await until(() => sink.taken.length >= 45_000);
  await troupe.ref(Source, "a").tick();
  await until(() => sink.taken.length >= 45_001);
  expect(sink.numbers()).toEqual(upTo(45_001));
});

test.each([{ kind: "batch", maxBatch: 50 } as const, { kind: "keyed", maxInFlight: 4 } as const])(
  "what is for others passes a $kind sink by: it is down until its own records are taken, and the log says so once",
  async (lane) => {
    const store = memory();
    const said: string[] = [];
    const sink = new TestSink("even", lane);
    sink.takes = ({ body }) => (JSON.parse(body) as { n: number }).n % 2 === 0;
    sink.down = true;
    const log = (_: string, event: string): void => void (event.startsWith("sink:") && said.push(event));
    const troupe = await createTroupe({ actors: [Source], stores: { default: store }, sinks: [sink], log });
    for (let i = 0; i < 40; i++) await troupe.ref(Source, "a").tick();
    await until(() => sink.tries > 2);
    expect(said).toEqual(["sink:failed"]);
    sink.down = false;
    await until(() => sink.taken.length === 20);
    expect(sink.numbers()).toEqual(upTo(20).map((n) => 2 * n));
    await until(() => troupe.status().sinks[0]?.pending === 0);
    expect(said).toEqual(["sink:failed", "sink:recovered"]);
    await troupe.stop();
  },
);

test("a table that holds pages of records for others only is read to its end", async () => {
  const store = memory();
  const sink = new TestSink("last");
  sink.takes = ({ body }) => (JSON.parse(body) as { n: number }).n === 12_000;
  const before = await createTroupe({ actors: [Source], stores: { default: store } });
  for (let i = 0; i < 12; i++) await before.ref(Source, "a").burst({ times: 1_000 });
  await before.stop();
  await using troupe = await createTroupe({ actors: [Source], stores: { default: store }, sinks: [sink] });
  await until(() => sink.taken.length === 1);
  expect(sink.numbers()).toEqual([12_000]);
  await until(() => troupe.status().sinks[0]?.pending === 0);
});

test("a backlog is read ahead: a sink that takes many at once gets full batches to the end", async () => {
  const most = 3_600;
  const sizes: number[] = [];
  const sink = new TestSink("wide", { kind: "batch", maxBatch: most });
  const publish = sink.publish.bind(sink);
  sink.publish = (records) => {
    if (!sink.down) sizes.push(records.length);
    return publish(records);
  };
  sink.down = true;
  await using troupe = await createTroupe({ actors: [Source], stores: { default: memory() }, sinks: [sink] });
  for (let i = 0; i < 6; i++) await troupe.ref(Source, "a").burst({ times: 9_000 });
  sink.down = false;
  await until(() => sink.taken.length >= 54_000);
  expect(sizes).toEqual(Array.from({ length: 54_000 / most }, () => most));
});

test("the next node goes on where the cursors stand", async () => {
  const store = memory();
  const sink = new TestSink("durable");
  const first = await createTroupe({ actors: [Source], stores: { default: store }, sinks: [sink] });
  await first.ref(Source, "a").burst({ times: 5 });
  await until(() => sink.taken.length === 5);
  await first.stop();
  await using second = await createTroupe({ actors: [Source], stores: { default: store }, sinks: [sink] });
  await second.ref(Source, "a").tick();
  await until(() => sink.taken.length >= 6);
  expect(sink.numbers()).toEqual(upTo(6));
});

test("what a crashed node had not relayed is relayed by the next one", async () => {
  const store = memory();
  const down = new TestSink("s");
  down.down = true;
  const crashed = await createTroupe({
    actors: [Source],
    stores: { default: store },
    sinks: [down],
    nodeId: "crashed",
    leaseMs: 60_000,
  });
  await crashed.ref(Source, "a").burst({ times: 4 });
  await store.heartbeat("crashed", 0);
  const sink = new TestSink("s");
  await using next = await createTroupe({ actors: [Source], stores: { default: store }, sinks: [sink] });
  await until(() => sink.taken.length === 4);
  expect(sink.numbers()).toEqual(upTo(4));
  expect(next.status().sinks.find((status) => status.name === "s")?.pending).toBe(0);
  await crashed.stop(0);
});

test("what waits for a sink is bounded by its size: the rest is read from the table, little at a time", async () => {
  const Big = actor("big", {
    state: v.object({ n: v.number() }),
    initial: () => ({ n: 0 }),
    emits: { "big.made.v1": v.object({ pad: v.string() }) },
    messages: ({ command }) => ({
      make: command({}, (c) => {
        c.state.n++;
        for (let i = 0; i < 10; i++) c.emit("big.made.v1", { pad: "x".repeat(700_000) });
      }),
    }),
  });
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const got = new Set<string>();
  let largest = 0;
  const inner = memory();
  const store = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property !== "readOutbox") return value.bind(target);
      return async (...args: Parameters<Store["readOutbox"]>) => {
        const records = await inner.readOutbox(...args);
        largest = Math.max(
          largest,
          records.reduce((sum, { body }) => sum + body.length, 0),
        );
        return records;
      };
    },
  });
  const sink: Sink = {
    name: "slow",
    accepts: "event",
    lane: { kind: "batch", maxBatch: 5 },
    publish: async (records) => {
      await gate;
      for (const { id } of records) got.add(id);
      return records.map(() => ({ kind: "acked" }));
    },
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  await using troupe = await createTroupe({ actors: [Big], stores: { default: store }, sinks: [sink] });
  for (let i = 0; i < 25; i++) await troupe.ref(Big, `k${i % 5}`).make();
  expect(troupe.status().sinks.find(({ name }) => name === "slow")?.pending).toBe(250);
  open();
  const end = Date.now() + 10_000;
  while (got.size < 250 && Date.now() < end) await Bun.sleep(5);
  expect(got.size).toBe(250);
  expect(largest).toBeLessThan(40_000_000);
}, 20_000);

test("Troupe.outbox() says where each sink stands in each partition, and since when one takes nothing", async () => {
  const up = new TestSink("up");
  const down = new TestSink("down");
  down.down = true;
  await using troupe = await createTroupe({ actors: [Source], stores: { default: memory() }, sinks: [up, down] });
  const before = Date.now();
  for (let i = 0; i < 3; i++) await troupe.ref(Source, "a").tick();
  await until(() => up.taken.length === 3 && down.tries > 0);
  const partition = troupe.partitionOf("source", "a");
  const at = (sink: string) => {
    const found = troupe.outbox().find((one) => one.sink === sink);
    return { ...found, ...found?.partitions.find((one) => one.partition === partition), partitions: 0 };
  };
  await until(() => at("up").cursor === at("up").last);
  expect(at("up")).toMatchObject({ store: "memory", last: 3, cursor: 3, failing: undefined, failingSince: undefined });
  expect(at("down")).toMatchObject({ last: 3, cursor: 0, failing: "down" });
  expect(at("down").failingSince).toBeGreaterThanOrEqual(before);
  down.down = false;
  await until(() => at("down").cursor === 3);
  expect(at("down").failingSince).toBeUndefined();
});
