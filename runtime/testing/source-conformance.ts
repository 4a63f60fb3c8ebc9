import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import { systemClock } from "../base/clock.ts";
import { withResolvers } from "../base/deferred.ts";
import { memory } from "../memory/memory-store.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { NodeCounts } from "../ports/metrics.ts";
import type { Sink } from "../ports/sink.ts";
import type { Handled, Source, SourceConsumer } from "../ports/source.ts";
import type { OutboxRecord } from "../ports/store.ts";
import { assert, distinctIds, eventRecords, publishLikeARelay, sameOrderPerTarget, within } from "./sink-checks.ts";
import type { DeclareTest } from "./sink-conformance.ts";
import { JUNK, type RawMessage } from "./source-junk.ts";

/** A broker with names of its own: nothing else publishes or consumes there. */
export interface SourceUnderTest extends AsyncDisposable {
  /** A further source, as another process would make it. */
  source(): Source;
  /** Publishes where the source consumes. */
  readonly sink: Sink;
  /** Publishes there too, beside the sink, what may be no event at all. */
  publishRaw(message: RawMessage): Promise<void>;
  /** Milliseconds of silence after which the broker would hand a message out again. */
  readonly ackWaitMs: number;
  /** Ends the broker as a power cut would; `restart` brings it back on the same data. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

const TYPES = ["order.placed.v1", "order.paid.v1"];
const WITHIN_MS = 60_000;

/** A consumer with what it was handed, in order. Unless told otherwise it takes everything at once. */
function consume(source: Source, handle: (id: string) => Promise<Handled> = async () => "taken", maxInFlight = 64) {
  const received: { readonly id: string }[] = [];
  const consumer: SourceConsumer = source.start({
    consumer: "invoice",
    types: TYPES,
    maxInFlight,
    handle: ({ body }) => {
      const { id } = JSON.parse(body) as { id: string };
      received.push({ id });
      return handle(id);
    },
  });
  const all = (count: number): Promise<void> =>
    within(WITHIN_MS, `${count} events are received`, async () => distinctIds(received).size >= count);
  const drained = (): Promise<void> =>
    within(WITHIN_MS, "nothing is left at the broker", async () => (await consumer.lag().catch(() => -1)) === 0);
  return { received, consumer, all, drained };
}

async function publish(sink: Sink, records: readonly OutboxRecord[]): Promise<void> {
  await publishLikeARelay(sink, records, 100, () => undefined);
}

const never = (): Promise<Handled> => new Promise<Handled>(() => undefined);

/**
 * Declares the tests that every source passes: what {@link Source} promises, against a real broker. `setup` is called
 * once per test; the tests run one after the other, as some kill the broker.
 *
 * @example
 * ```ts
 * declare function brokerOfOneTest(): Promise<SourceUnderTest>; // a sink and a source with names of their own
 *
 * sourceConformance("mySource()", test, brokerOfOneTest);
 * ```
 */
export function sourceConformance(name: string, test: DeclareTest, setup: () => Promise<SourceUnderTest>): void {
  const declare = (title: string, body: (subject: SourceUnderTest) => Promise<void>): void =>
    test(`${name} ${title}`, async () => {
      await using subject = await setup();
      await body(subject);
    }, 180_000);

  declare("hands over every event of its types in the order of each key, and then has no lag", async (subject) => {
    const records = eventRecords(300, { targets: 7, types: [...TYPES, "order.shipped.v1"] });
    const wanted = records.filter(({ name: type }) => TYPES.includes(type));
    const { received, consumer, all, drained } = consume(subject.source());
    await within(WITHIN_MS, "the consumer is there", async () => (await consumer.lag().catch(() => -1)) === 0);
    await publish(subject.sink, records);
    await all(wanted.length);
    const own = received.filter(({ id }) => wanted.some((record) => record.id === id));
    sameOrderPerTarget(own, wanted);
    assert(own.length === wanted.length, `${own.length - wanted.length} events came twice`);
    await drained();
    await consumer.stop(5_000);
  });

  declare(
    "hands over no more than its limit, and what a dead consumer did not take comes to the next",
    async (subject) => {
      const records = eventRecords(60, { targets: 4, types: TYPES });
      const dead = consume(subject.source(), never, 10);
      await within(WITHIN_MS, "the consumer is there", async () => (await dead.consumer.lag().catch(() => -1)) === 0);
      await publish(subject.sink, records);
      await dead.all(10);
      assert((await dead.consumer.lag()) === 60, `the lag is ${await dead.consumer.lag()}, 60 events wait`);
      assert(dead.received.length === 10, `${dead.received.length} events were handed over at once, the limit is 10`);
      await dead.consumer.stop(0);

      const next = consume(subject.source());
      await next.all(60);
      sameOrderPerTarget(next.received, records);
      await next.drained();
      await next.consumer.stop(5_000);
    },
  );

  declare("lets go of the broker also while it still connects, and the next one gets everything", async (subject) => {
    const records = eventRecords(20, { targets: 4, types: TYPES });
    const before = consume(subject.source());
    await within(WITHIN_MS, "the consumer is there", async () => (await before.consumer.lag().catch(() => -1)) === 0);
    await before.consumer.stop(5_000);
    await publish(subject.sink, records);
    const brief = consume(subject.source(), never);
    let stopped = false;
    void brief.consumer.stop(0).then(() => (stopped = true));
    await within(WITHIN_MS, "the stop is over", async () => stopped);

    const next = consume(subject.source());
    await next.all(20);
    await next.drained();
    await next.consumer.stop(5_000);
  });

  declare("brings what was to come later, and nothing that was taken, after a stop that waited", async (subject) => {
    const records = eventRecords(20, { targets: 4, types: TYPES });
    const begun = withResolvers<void>();
    const held = new Map<string, (handled: Handled) => void>();
    const first = consume(subject.source(), (id) => {
      const waiting = withResolvers<Handled>();
      held.set(id, waiting.resolve);
      if (held.size === 20) begun.resolve();
      return waiting.promise;
    });
    await publish(subject.sink, records);
    await begun.promise;
    const stopped = first.consumer.stop(10_000);
    const ids = records.map(({ id }) => id);
    ids.forEach((id, i) => held.get(id)?.(i < 12 ? "taken" : "later"));
    await stopped;

    const next = consume(subject.source());
    await next.all(8);
    await next.drained();
    const again = next.received.map(({ id }) => id);
    assert(
      again.every((id) => ids.indexOf(id) >= 12),
      "an event that was taken came again",
    );
    sameOrderPerTarget(next.received, records.slice(12));
    await next.consumer.stop(5_000);
  });

  declare("hands an event that takes longer than the broker waits over once", async (subject) => {
    const [slow, ...others] = eventRecords(10, { targets: 10, types: TYPES }) as [OutboxRecord, ...OutboxRecord[]];
    const end = withResolvers<Handled>();
    const { received, consumer, all, drained } = consume(subject.source(), async (id) =>
      id === slow.id ? end.promise : "taken",
    );
    await publish(subject.sink, [slow, ...others]);
    await all(10);
    const since = performance.now();
    await within(WITHIN_MS, "the broker has waited", async () => performance.now() - since > 3 * subject.ackWaitMs);
    end.resolve("taken");
    await drained();
    assert(received.length === 10, `${received.length - 10} events were handed over twice`);
    await consumer.stop(5_000);
  });

  declare("loses nothing and keeps the order of a key when the broker is killed on the way", async (subject) => {
    const records = eventRecords(600, { targets: 20, types: TYPES });
    const { received, consumer, all, drained } = consume(subject.source(), async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return "taken";
    });
    await publish(subject.sink, records.slice(0, 400));
    await within(WITHIN_MS, "some events are received", async () => received.length >= 100);
    await subject.kill();
    await within(WITHIN_MS, "the lag cannot be told", async () =>
      consumer.lag().then(
        () => false,
        () => true,
      ),
    );
    await subject.restart();
    await publish(subject.sink, records.slice(400));
    await all(600);
    sameOrderPerTarget(received, records);
    await drained();
    await consumer.stop(5_000);
  });

  declare("with a troupe: repeats act once, and poison is a dead letter that holds up nobody", async (subject) => {
    const records = eventRecords(60, { targets: 6, types: ["order.placed.v1"] });
    const poisoned = records[8] as OutboxRecord;
    const Tally = actor("tally", {
      state: v.object({ ids: v.array(v.string()) }),
      initial: () => ({ ids: [] }),
      poison: { after: 2 },
      messages: ({ command, query }) => ({
        count: command({ in: v.string() }, (c, id) => {
          if (id === poisoned.id) throw new Error("poison");
          c.state.ids.push(id);
        }),
        all: query({ out: v.array(v.string()) }, (c) => [...c.state.ids]),
      }),
      subscribe: {
        "order.placed.v1": { to: ({ subject: key }) => key, send: "count", with: ({ id }) => id },
      },
    });
    const troupe = await createTroupe({
      actors: [Tally],
      stores: { default: memory() },
      sources: { default: subject.source() },
    });
    await publish(subject.sink, records.slice(0, 40));
    await publish(subject.sink, records.slice(20, 60));
    await publish(subject.sink, records);
    const expected = (key: string): string =>
      records.flatMap(({ id, target }) => (target === key && id !== poisoned.id ? [id] : [])).join();
    const keys = [...new Set(records.map(({ target }) => target))];
    await within(WITHIN_MS, "each key has its events, once, in order", async () => {
      const all = await Promise.all(keys.map((key) => troupe.ref(Tally, key).all()));
      return all.every((ids, i) => ids.join() === expected(keys[i] as string));
    });
    await within(WITHIN_MS, "nothing is left", async () => {
      const [status] = troupe.status().subscriptions;
      return status?.lag === 0 && status.inFlight === 0;
    });
    const { items } = await troupe.deadLetters.list({ reason: "poison" });
    assert(items.length === 1, `there are ${items.length} dead letters`);
    assert(items[0]?.attempts === 2 && items[0].target === `tally/${poisoned.target}`, JSON.stringify(items[0]));
    await troupe.stop();
  });

  for (const junk of JUNK) {
    declare(`with a troupe: gets over ${junk.what}, and reads on`, async (subject) => {
      const Tally = actor("tally", {
        state: v.object({ ids: v.array(v.string()) }),
        initial: () => ({ ids: [] }),
        messages: ({ command, query }) => ({
          count: command({ in: v.string() }, (c, id) => void c.state.ids.push(id)),
          all: query({ out: v.array(v.string()) }, (c) => [...c.state.ids]),
        }),
        subscribe: {
          "order.placed.v1": { to: ({ subject: key }) => key, send: "count", with: ({ id }) => id },
        },
      });
      const troupe = await createTroupe({
        actors: [Tally],
        stores: { default: memory() },
        sources: { default: subject.source() },
        // The lag is asked for every few seconds.
        clock: { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run) },
      });
      const records = eventRecords(4, { targets: 1, types: ["order.placed.v1"] });
      const { target } = records[0] as OutboxRecord;
      await publish(subject.sink, records.slice(0, 2));
      await subject.publishRaw(junk);
      await publish(subject.sink, records.slice(2));
      const wanted = records.map(({ id }) => id).join();
      await within(30_000, "what stands behind it is read", async () => {
        const ids = await troupe.ref(Tally, target).all();
        return ids.join() === wanted;
      });
      await within(30_000, "nothing is left", async () => troupe.status().subscriptions[0]?.lag === 0);
      const letters = (await troupe.deadLetters.list({ reason: "poison" })).items.length;
      const skipped = troupe.status().subscriptions[0]?.skipped ?? 0;
      assert(letters + skipped === 1, `it became ${letters} dead letters, and ${skipped} messages were skipped`);
      await troupe.stop();
    });
  }

  declare("with a troupe: what paused actors do not take is counted as lag, until they go on", async (subject) => {
    const records = eventRecords(30, { targets: 3, types: ["order.placed.v1"] });
    const Tally = actor("tally", {
      state: v.object({ ids: v.array(v.string()) }),
      initial: () => ({ ids: [] }),
      messages: ({ command }) => ({ count: command({ in: v.string() }, (c, id) => void c.state.ids.push(id)) }),
      subscribe: {
        "order.placed.v1": { to: ({ subject: key }) => key, send: "count", with: ({ id }) => id },
      },
    });
    let counts: NodeCounts | undefined;
    const source = subject.source();
    const troupe = await createTroupe({
      actors: [Tally],
      stores: { default: memory() },
      sources: { default: source },
      metrics: { attach: (attached) => ((counts = attached), () => undefined) },
      // The lag is asked for every few seconds.
      clock: { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run) },
    });
    const lag = (expected: number): Promise<void> =>
      within(WITHIN_MS, `the lag is ${expected}`, async () => {
        const lags = [...(counts?.subscriptionLags() ?? [])];
        return JSON.stringify(lags) === JSON.stringify([{ source: source.name, actor: "tally", lag: expected }]);
      });
    await lag(0);
    const keys = [...new Set(records.map(({ target }) => target))];
    for (const key of keys) await troupe.pause("tally", key, "a look");
    await publish(subject.sink, records);
    await lag(30);
    for (const key of keys) await troupe.resume("tally", key);
    await lag(0);
    await troupe.stop();
  });
}
