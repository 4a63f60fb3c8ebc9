import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { silentLog, type Topics } from "#runtime";
import { topicsConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { connectNats } from "./connection.ts";
import { natsTopics, type NatsTopicsOptions } from "./topics.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("nats");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

/** Nodes on a stream of their own, each with a connection of its own. */
function nodes(options: Partial<NatsTopicsOptions>): { node(): Promise<Topics>; stream: string } & AsyncDisposable {
  const id = crypto.randomUUID().slice(0, 8);
  const names = { stream: `TOPICS-${id}`, subjectPrefix: `topic-${id}` };
  const made = new AsyncDisposableStack();
  return {
    stream: names.stream,
    async node() {
      const connection = made.adopt(connectNats({ url: broker.address, log: silentLog }), (link) => link.close());
      await connection.ready(10_000);
      return made.adopt(natsTopics({ connection, log: silentLog, ...names, ...options }), (topics) => topics.close());
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

// Little at hand, so that most of what is resumed is read from the stream.
topicsConformance("natsTopics()", test, async (size) => {
  const subject = nodes(
    size === "small" ? { maxBytes: 65_536, memory: { maxMessages: 2 } } : { memory: { maxMessages: 60 } },
  );
  return Object.assign(subject, { broker: { kill: () => broker.kill(), restart: () => broker.start() } });
});

test("a node that has just started knows the place of what is published next, and has the newest at hand", async () => {
  await using subject = nodes({});
  const before = await subject.node();
  const first = await before.subscribe(["a"]);
  for (let n = 0; n < 20; n++) await publish(before, `old ${n}`);
  const { value: oldest } = await first.next();
  const topics = await subject.node();
  const now = await topics.subscribe(["a"]);
  const back = await topics.subscribe(["a"], { after: oldest?.id });
  await publish(topics, "new");
  expect((await now.next()).value).toMatchObject({ body: '"new"' });
  const client = await connect({ servers: broker.address });
  const { consumer_count: consumers } = (await (await jetstreamManager(client)).streams.info(subject.stream)).state;
  for (let n = 1; n < 20; n++) expect((await back.next()).value).toMatchObject({ body: `"old ${n}"` });
  expect((await back.next()).value).toMatchObject({ body: '"new"' });
  const after = (await (await jetstreamManager(client)).streams.info(subject.stream)).state.consumer_count;
  await client.close();
  expect([consumers, after]).toEqual([2, 2]); // one for each node: nothing was read from the stream
});

test("a stream that was made anew is a gap, and its messages follow", async () => {
  await using subject = nodes({});
  const topics = await subject.node();
  const following = await topics.subscribe(["a"]);
  await publish(topics, "before");
  expect((await following.next()).value).toMatchObject({ kind: "message", body: '"before"' });
  const client = await connect({ servers: broker.address });
  await (await jetstreamManager(client)).streams.delete(subject.stream);
  await client.close();
  // The publisher learns of it with the first try that fails, as under a relay.
  for (let tries = 0; ; tries++) {
    const done = await publish(topics, "after").then(
      () => true,
      () => false,
    );
    if (done || tries > 50) break;
  }
  expect((await following.next()).value).toMatchObject({ kind: "gap", topics: ["a"] });
  expect((await following.next()).value).toMatchObject({ kind: "message", body: '"after"' });
});

test("a feed whose broker hangs goes on where it was when the broker does", async () => {
  const events: string[] = [];
  await using subject = nodes({ log: (_level, event) => void events.push(event) });
  const topics = await subject.node();
  const following = await topics.subscribe(["a"]);
  await publish(topics, "before");
  expect((await following.next()).value).toMatchObject({ body: '"before"' });
  await broker.hang();
  await eventually("the feed notices", 30_000, async () => events.includes("topics:interrupted"));
  broker.resume();
  await eventually("it is published", 30_000, async () =>
    publish(topics, "after").then(
      () => true,
      () => false,
    ),
  );
  expect((await following.next()).value).toMatchObject({ kind: "message", body: '"after"' });
});

async function publish(topics: Topics, text: string): Promise<void> {
  const actor = { type: "t", key: "k" };
  const record = {
    partition: 1,
    seq: 1,
    kind: "broadcast",
    id: `brd_${text}`,
    name: "said",
    actor,
    target: "a",
  } as const;
  await topics.sink.publish([{ ...record, body: JSON.stringify(text), at: 1, traceparent: undefined }], 1);
}
