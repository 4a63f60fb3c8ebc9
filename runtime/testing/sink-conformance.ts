import { toCloudEvent } from "../message/cloud-event.ts";
import type { Sink } from "../ports/sink.ts";
import type { OutboxRecord } from "../ports/store.ts";
import {
  assert,
  distinctIds,
  eventRecords,
  publishLikeARelay,
  publishUntilSettled,
  sameOrderPerTarget,
  within,
} from "./sink-checks.ts";

/** A message as a consumer of its own found it, in the names of the suite. */
export interface Delivered {
  /** The event's id, from the header consumers recognise repeats by. */
  readonly id: string;
  /** Subject, topic, routing key or stream. */
  readonly place: string;
  /** What the broker keeps order by; `undefined` where it has no such thing. */
  readonly key: string | undefined;
  readonly contentType: string | undefined;
  readonly traceparent: string | undefined;
  readonly body: string;
}

/** A sink with a broker behind it, in names of its own: nothing else publishes there. */
export interface SinkUnderTest extends AsyncDisposable {
  readonly sink: Sink;
  /** Where a record belongs by the contract. */
  expected(record: OutboxRecord): { readonly place: string; readonly key: string | undefined };
  /** All that is there now, read without the adapter; messages of one target in the broker's order. */
  readAll(): Promise<readonly Delivered[]>;
  /** Whether the broker itself drops repeats of an id. */
  readonly dropsRepeats: boolean;
  /** A body length that the broker does not take. */
  readonly tooLargeBytes: number;
  /** What the broker will never take, by what it is in words. @default nothing but what is too large, and of no type */
  readonly never?: Readonly<Record<string, () => Promise<NeverTaken>>>;
  /** Ends the broker as a power cut would; `restart` brings it back on the same data. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A kind of record that a broker will never take, arranged at the broker. */
export interface NeverTaken {
  /** A sink that meets it, where that is not the one under test. Closed by whoever made it. */
  readonly sink?: Sink;
  /** Makes a record one of that kind. */
  spoil(record: OutboxRecord): OutboxRecord;
  /** Where the broker takes nothing else there either. @default false */
  readonly all?: boolean;
}

/** How tests are declared: `test` of `bun:test` fits. The runtime is not tied to a test runner. */
export type DeclareTest = (name: string, body: () => Promise<void>, timeoutMs: number) => void;

/**
 * Declares the tests that every sink for events passes: what {@link Sink} promises, against a real broker. `setup` is
 * called once per test; the tests run one after the other, as some kill the broker.
 *
 * @example
 * ```ts
 * declare function brokerOfOneTest(): Promise<SinkUnderTest>; // a sink, and a look at what its broker holds
 *
 * sinkConformance("mySink()", test, brokerOfOneTest);
 * ```
 */
export function sinkConformance(name: string, test: DeclareTest, setup: () => Promise<SinkUnderTest>): void {
  const declare = (title: string, body: (subject: SinkUnderTest) => Promise<void>): void =>
    test(`${name} ${title}`, async () => {
      await using subject = await setup();
      await body(subject);
    }, 180_000);

  declare("publish() keeps the order per target and delivers each record with its envelope", async (subject) => {
    const records = eventRecords(300, { targets: 7, types: ["order.placed.v1", "order.paid.v1", "stock.reserved.v1"] });
    await publishAll(subject.sink, records, 40);
    const delivered = await subject.readAll();
    assert(
      delivered.length === records.length,
      `${delivered.length} messages were delivered, ${records.length} published`,
    );
    sameOrderPerTarget(delivered, records);
    for (const record of records) {
      const message = delivered.find(({ id }) => id === record.id);
      const wanted: Delivered = {
        id: record.id,
        ...subject.expected(record),
        contentType: "application/cloudevents+json",
        traceparent: record.traceparent,
        body: toCloudEvent(record),
      };
      assert(isSame(message, wanted), `${JSON.stringify(message)} is not ${JSON.stringify(wanted)}`);
    }
  });

  declare("publish() acks nothing for nothing", async ({ sink }) => {
    assert((await sink.publish([], 1)).length === 0, "there are results without records");
  });

  declare("publish() takes as many records as its lane says, also of one target", async (subject) => {
    const { lane } = subject.sink;
    const count = lane.kind === "batch" ? lane.maxBatch : 100;
    const records = [
      ...eventRecords(count / 2, { targets: 1, types: ["order.placed.v1"] }),
      ...eventRecords(count / 2, { targets: 50, types: ["order.paid.v1"] }),
    ];
    await publishAll(subject.sink, records, count);
    sameOrderPerTarget(await subject.readAll(), records);
  });

  declare("publish() takes repeats, alone and among new records, under the same id", async (subject) => {
    const records = eventRecords(200, { targets: 5, types: ["order.placed.v1"] });
    await publishAll(subject.sink, records.slice(0, 100), 100);
    await publishAll(subject.sink, records.slice(0, 100), 100);
    await publishAll(subject.sink, records.slice(50, 200), 150);
    await publishAll(subject.sink, records.slice(199), 1);
    const delivered = await subject.readAll();
    sameOrderPerTarget(delivered, records);
    if (subject.dropsRepeats)
      assert(delivered.length === records.length, `${delivered.length - records.length} repeats were delivered`);
  });

  declare("publish() refuses what the broker never takes and acks the rest of the batch", async (subject) => {
    for (const size of [3, 120]) {
      const records = eventRecords(size, { targets: 4, types: ["order.placed.v1"] }).map((record, i): OutboxRecord => {
        if (i === 1) return { ...record, body: JSON.stringify("x".repeat(subject.tooLargeBytes)) };
        return i === 2 ? { ...record, name: "no place.*" } : record;
      });
      const results = await subject.sink.publish(records, 1);
      const kinds = results.map(({ kind }) => kind);
      assert(
        kinds.every((kind, i) => kind === (i === 1 || i === 2 ? "refused" : "acked")),
        `the results are ${kinds.join()}`,
      );
      const found = new Set((await subject.readAll()).map(({ id }) => id));
      assert(
        records.every(({ id }, i) => found.has(id) === (results[i]?.kind === "acked")),
        "what is there is not what was acked",
      );
    }
  });

  declare(
    "publish() refuses each kind of what will never be taken within its tries, and its key goes on",
    async (subject) => {
      for (const [what, arrange] of Object.entries(subject.never ?? {})) {
        const { sink = subject.sink, spoil, all = false } = await arrange();
        for (const size of [1, 7, 60]) {
          const spoilt = Math.floor(size / 3);
          const records = eventRecords(size, { targets: 3, types: ["order.placed.v1"] }).map((record, i) =>
            i === spoilt ? spoil(record) : record,
          );
          const results = await publishUntilSettled(sink, records);
          const wrong = results.findIndex(({ kind }, i) => kind !== (all || i === spoilt ? "refused" : "acked"));
          assert(
            wrong < 0,
            `${what}: record ${wrong} of ${size} is ${JSON.stringify(results[wrong])}, ${spoilt} is spoilt`,
          );
          const detail = results[spoilt]?.kind === "refused" ? results[spoilt].detail : "";
          assert(detail.length > 10, `${what}: the reason is ${JSON.stringify(detail)}`);
        }
      }
    },
  );

  declare("check() rejects while the broker is away and resolves when it is back", async (subject) => {
    await subject.sink.check();
    await subject.kill();
    assert(await rejects(subject.sink.check()), "check() resolved without a broker");
    assert(
      await rejects(subject.sink.publish(eventRecords(1, { targets: 1, types: ["order.placed.v1"] }), 1)),
      "publish() resolved without a broker",
    );
    await subject.restart();
    await within(30_000, "check() resolves again", async () => !(await rejects(subject.sink.check())));
  });

  declare(
    "publish() loses nothing that was acked and keeps the order when the broker is killed on the way",
    async (subject) => {
      const records = eventRecords(4_000, { targets: 20, types: ["order.placed.v1", "order.paid.v1"] });
      let acked = 0;
      let wake = (): void => undefined;
      const underWay = new Promise<void>((resolve) => (wake = resolve));
      const publishing = publishLikeARelay(subject.sink, records, 100, (count) => {
        acked += count;
        if (acked >= 1_000) wake();
      });
      await underWay;
      await subject.kill();
      assert(acked < records.length, "all was published before the broker was killed");
      await subject.restart();
      const failures = await publishing;
      assert(failures > 0, "no publish failed while the broker was away");
      const delivered = await subject.readAll();
      assert(
        distinctIds(delivered).size === records.length,
        `${distinctIds(delivered).size} of ${records.length} records are there`,
      );
      sameOrderPerTarget(delivered, records);
    },
  );
}

async function publishAll(sink: Sink, records: readonly OutboxRecord[], size: number): Promise<void> {
  for (let i = 0; i < records.length; i += size) {
    const results = await sink.publish(records.slice(i, i + size), 1);
    assert(results.length === Math.min(size, records.length - i), "there is not one result per record");
    assert(
      results.every(({ kind }) => kind === "acked"),
      `not all were acked: ${JSON.stringify(results.find(({ kind }) => kind !== "acked"))}`,
    );
  }
}

function isSame(a: Delivered | undefined, b: Delivered): boolean {
  return a !== undefined && (Object.keys(b) as (keyof Delivered)[]).every((key) => a[key] === b[key]);
}

function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  );
}
