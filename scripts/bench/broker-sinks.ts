import { AMQPClient } from "@cloudamqp/amqp-client";
import { kafkaSink } from "#infra/kafka/sink.ts";
import { natsSink } from "#infra/nats/sink.ts";
import { rabbitMqSink } from "#infra/rabbitmq/sink.ts";
import { redisSink } from "#infra/redis/sink.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { type Sink, silentLog } from "#runtime";
import { removeTopics } from "../e2e/kafka-events.ts";
import { removeStream } from "../e2e/nats-events.ts";
import { removeKeys } from "../e2e/redis-keys.ts";
import { BEAT } from "./beat.ts";

/** The brokers that the relay is measured with. */
export const BROKERS = ["nats", "kafka", "rabbitmq", "redis"] as const;

export type BrokerName = (typeof BROKERS)[number];

/** A sink with a stream, topics or a queue of its own, which are gone when it is disposed of. */
export interface BrokerSink extends AsyncDisposable {
  readonly sink: Sink;
}

interface Kind {
  open(address: string, name: string): Sink;
  /** Removes what the sink made. */
  remove(address: string, name: string): Promise<void>;
}

const KINDS: Readonly<Record<BrokerName, Kind>> = {
  nats: {
    open: (url, name) => natsSink({ url, log: silentLog, stream: `BENCH-${name}`, subjectPrefix: `${name}.evt` }),
    remove: (url, name) => removeStream(url, `BENCH-${name}`),
  },
  kafka: {
    open: (brokers, name) => kafkaSink({ brokers, log: silentLog, topicPrefix: `${name}.` }),
    remove: (brokers, name) => removeTopics(brokers, `${name}.`),
  },
  rabbitmq: {
    // A quorum queue, as every subscription has.
    open: (url, name) => rabbitMqSink({ url, log: silentLog, exchange: name, queues: [{ name, types: [BEAT] }] }),
    remove: removeQueue,
  },
  redis: {
    open: (url, name) => redisSink({ url, log: silentLog, streamPrefix: `${name}:` }),
    remove: (url, name) => removeKeys(url, `${name}:`),
  },
};

/** Opens a sink on the server that tests share; the server is started where none runs. */
export async function openBrokerSink(broker: BrokerName): Promise<BrokerSink> {
  const name = `b${crypto.randomUUID().replaceAll("-", "").slice(0, 10)}`;
  const address = await testServer(broker);
  const sink = KINDS[broker].open(address, name);
  return {
    sink,
    async [Symbol.asyncDispose]() {
      await sink.close();
      await KINDS[broker].remove(address, name).catch(() => undefined); // nothing was published yet
    },
  };
}

async function removeQueue(url: string, name: string): Promise<void> {
  const client = new AMQPClient(url, undefined, null);
  await client.connect();
  const channel = await client.channel();
  await channel.queueDelete(name);
  await channel.exchangeDelete(name);
  await client.close();
}
