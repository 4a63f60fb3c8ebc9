import { expect, setDefaultTimeout, test } from "bun:test";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { jetstreamManager } from "@nats-io/jetstream";
import { Admin } from "@platformatic/kafka";
import { type OutboxRecord, silentLog, type Sink } from "#runtime";
import { kafkaSink } from "../kafka/sink.ts";
import { kafkaTail } from "../kafka/tail.ts";
import { connectNats } from "../nats/connection.ts";
import { natsSink } from "../nats/sink.ts";
import { natsTail } from "../nats/tail.ts";
import { rabbitMqSink } from "../rabbitmq/sink.ts";
import { rabbitMqTail } from "../rabbitmq/tail.ts";
import { newClient } from "../redis/client.ts";
import { redisSink } from "../redis/sink.ts";
import { redisTail } from "../redis/tail.ts";
import { testServer } from "../stack/for-tests.ts";
import { eventually } from "../testing/eventually.ts";
import type { BrokerTail, TailedMessage } from "./tail.ts";

setDefaultTimeout(60_000);

interface Place {
  readonly sink: Sink;
  readonly tail: BrokerTail;
  /** What `view` lists. */
  readonly place: string;
  /** Whether the broker counts what passed unseen. */
  readonly counts: boolean;
  remove(): Promise<void>;
}

const PLACES: Readonly<Record<string, (own: string) => Promise<Place>>> = {
  async nats(own) {
    const connection = connectNats({ url: await testServer("nats"), log: silentLog });
    await connection.ready(10_000);
    const names = { stream: `TAIL-${own}`, subjectPrefix: `tail-${own}` };
    return {
      sink: natsSink({ connection, log: silentLog, ...names }),
      tail: natsTail(connection, [names.stream, `NOT-THERE-${own}`]),
      place: names.stream,
      counts: true,
      async remove() {
        await connection.use("remove", 5_000, async (client) =>
          (await jetstreamManager(client)).streams.delete(names.stream),
        );
        await connection.close();
      },
    };
  },
  async kafka(own) {
    const brokers = await testServer("kafka");
    const prefix = `tail-${own}.`;
    return {
      sink: kafkaSink({ brokers, log: silentLog, topicPrefix: prefix, partitions: 3 }),
      tail: kafkaTail({ brokers, prefix }),
      place: `${prefix}order.events.v1`,
      counts: true,
      async remove() {
        const admin = new Admin({ clientId: "troupe-test", bootstrapBrokers: brokers.split(",") });
        await admin.deleteTopics({ topics: [`${prefix}order.events.v1`] });
        await admin.close();
      },
    };
  },
  async rabbitmq(own) {
    const url = await testServer("rabbitmq");
    const exchange = `tail-${own}`;
    const queue = `${exchange}.orders`;
    const types = ["order.placed.v1"];
    return {
      sink: rabbitMqSink({ url, log: silentLog, exchange, queues: [{ name: queue, types, kind: "classic" }] }),
      tail: rabbitMqTail({ url, exchange, queues: [queue, `${exchange}.not-there`] }),
      place: queue,
      counts: false,
      async remove() {
        const client = await new AMQPClient(url, undefined, null).connect();
        const channel = await client.channel();
        await channel.queueDelete(queue);
        await channel.exchangeDelete(exchange);
        await client.close();
      },
    };
  },
  async redis(own) {
    const url = await testServer("redis");
    const streamPrefix = `tail-${own}:`;
    return {
      sink: redisSink({ url, log: silentLog, streamPrefix }),
      tail: redisTail({ url, streamPrefix }),
      place: `${streamPrefix}events:order`,
      counts: true,
      async remove() {
        const client = newClient({ url, log: silentLog, connectTimeoutMs: 5_000 });
        await client.connect();
        await client.del(`${streamPrefix}events:order`);
        client.destroy();
      },
    };
  },
};

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Events of one order, so that every broker keeps them in order. */
function events(from: number, count: number): OutboxRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ partition: 0, seq: from + i, kind: "event" as const, id: `evt_${from + i}`, name: "order.placed.v1" },
    ...{ actor: { type: "order", key: "ord_1" }, target: "ord_1", at: Date.now(), traceparent: TRACE },
    body: JSON.stringify({ n: from + i }),
  }));
}

const numberOf = ({ body }: TailedMessage): number => (JSON.parse(body) as { data: { n: number } }).data.n;

for (const [broker, open] of Object.entries(PLACES))
  test(`${broker}Tail() shows the newest messages whole and in order, then what came since, and counts what it left out`, async () => {
    const { sink, tail, place, counts, remove } = await open(crypto.randomUUID().slice(0, 8));
    try {
      await sink.check();
      await sink.publish(events(0, 1), 1); // makes the place
      const first = await tail.read({ limit: 20 });
      await sink.publish(events(1, 5), 1);
      const news = await tail.read({ after: first.after, limit: 20 });
      expect(news.items.map(numberOf)).toEqual([1, 2, 3, 4, 5]);
      expect(news.skipped).toBe(counts ? 0 : null);
      const [whole] = news.items;
      expect(Object.values(whole?.headers ?? {})).toContain(TRACE);
      expect(whole?.sizeBytes).toBe(Buffer.byteLength(whole?.body ?? ""));
      expect(JSON.parse(whole?.body ?? "")).toMatchObject({ specversion: "1.0", id: "evt_1", subject: "ord_1" });

      await sink.publish(events(6, 300), 1);
      const many = await tail.read({ after: news.after, limit: 20 });
      expect(many.items.map(numberOf)).toEqual(Array.from({ length: 20 }, (_, i) => 286 + i));
      expect(many.skipped).toBe(counts ? 280 : null);
      expect(await tail.read({ after: many.after, limit: 20 })).toMatchObject({
        items: [],
        skipped: counts ? 0 : null,
      });

      await eventually("the place is listed with its messages", 20_000, async () => {
        const { places } = await tail.view();
        return places.find(({ name }) => name === place)?.messages === 306 || undefined;
      });
      expect((await tail.view()).places.map(({ name }) => name)).toEqual([place]);
      await expect((async () => tail.read({ after: "%%%", limit: 5 }))()).rejects.toThrow(TypeError);
    } finally {
      tail.close();
      await sink.close();
      await remove();
    }
  });

test("a tail of a broker that is away says so in time, and looks again when it is asked again", async () => {
  for (const tail of [
    kafkaTail({ brokers: "127.0.0.1:1" }),
    redisTail({ url: "redis://127.0.0.1:1" }),
    rabbitMqTail({ url: "amqp://guest:guest@127.0.0.1:1", exchange: "events", queues: [] }),
  ]) {
    await expect(tail.view()).rejects.toThrow();
    await expect(tail.read({ limit: 5 })).rejects.toThrow();
    tail.close();
  }
});
