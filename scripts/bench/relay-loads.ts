import { testDatabase } from "#infra/stack/for-tests.ts";
import { type BrokerName, openBrokerSink } from "./broker-sinks.ts";
import { Drained } from "./drained.ts";
import type { Measured } from "./measure.ts";
import { openTransaction } from "./open-transaction.ts";
import { progress } from "./progress.ts";
import { BACKLOG, RATE } from "./relay-cases.ts";
import { JobsWay } from "./relay-jobs.ts";
import { OutboxWay } from "./relay-outbox.ts";
import { PollerWay } from "./relay-poller.ts";
import type { Way } from "./relay-way.ts";
import { Timeline } from "./timeline.ts";
import { watchedSink } from "./watched-sink.ts";

const WAYS = { relay: OutboxWay, poller: PollerWay, jobs: JobsWay } as const;

/** A way from the commit to the broker. */
export type WayName = keyof typeof WAYS;

/** What the database holds, or has to bear, besides what is measured. */
export interface Surroundings {
  /** Events that were carried before and are kept, as many that were removed, and how many wait when a backlog is drained. */
  readonly rows?: number;
  /** A transaction is open all the time, and was for so long when it is measured, with events at the usual rate meanwhile. */
  readonly openMs?: number;
}

/** What was reached at an even rate, and with a backlog. */
export interface RelayFigures {
  /** From the durable commit to the broker's acknowledgement, at {@link RATE} events a second. */
  readonly latency: Measured;
  /** From the release of the sink to the acknowledgement of the last of {@link BACKLOG} events. */
  readonly drain: Measured;
}

const WARM_UP_SECONDS = 1;
const SECONDS = 5;
/** Drained before, and not counted. */
const WARM_UP_EVENTS = 10_000;

/** Measures a way to a broker, first at an even rate and then with a backlog, in one database. */
export async function relayFigures(
  name: WayName,
  broker: BrokerName,
  { rows, openMs }: Surroundings,
): Promise<RelayFigures> {
  await using database = await testDatabase(`bench_${name}`);
  await using opened = await openBrokerSink(broker);
  await using way: Way = new WAYS[name](database.url);
  const timeline = new Timeline();
  const drained = new Drained();
  const sink = watchedSink(opened.sink, (records) => {
    timeline.acked(records);
    drained.acked(records);
  });
  const drain = async (count: number, waiting = count): Promise<Measured> => {
    await way.fill(waiting);
    sink.hold();
    await using _carrying = await way.carry(sink).finally(() => drained.start(count));
    sink.release();
    return await drained.done;
  };

  await way.prepare();
  if (rows !== undefined) await way.age(rows, sink.name);
  await using _open = openMs === undefined ? undefined : await openTransaction(database.url);
  let latency: Measured;
  {
    await using _carrying = await way.carry(sink);
    const write = (n: number): Promise<unknown> => way.write(n);
    await timeline.feed(write, RATE, WARM_UP_SECONDS);
    if (openMs !== undefined) {
      progress(`relay: ${RATE} events/s for ${Math.round(openMs / 1_000)} s with a transaction open, ${name}`);
      await timeline.feed(write, RATE, openMs / 1_000);
    }
    latency = await timeline.measure(write, RATE, SECONDS);
  }
  await drain(WARM_UP_EVENTS);
  return { latency, drain: await drain(BACKLOG, rows) };
}
