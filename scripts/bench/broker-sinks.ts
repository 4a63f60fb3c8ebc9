import { kafkaSink } from "#infra/kafka/sink.ts";
import { natsSink } from "#infra/nats/sink.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { type Sink, silentLog } from "#runtime";
import { removeTopics } from "../e2e/kafka-events.ts";
import { removeStream } from "../e2e/nats-events.ts";

/** A broker that the relay is measured with. */
export type BrokerName = "nats" | "kafka";

/** A sink with a stream or topics of its own, which are gone when it is disposed of. */
export interface BrokerSink extends AsyncDisposable {
  readonly sink: Sink;
}

/** Opens a sink on the server that tests share; the server is started where none runs. */
export async function openBrokerSink(broker: BrokerName): Promise<BrokerSink> {
  const name = `b${crypto.randomUUID().replaceAll("-", "").slice(0, 10)}`;
  const address = await testServer(broker);
  const sink =
    broker === "nats"
      ? natsSink({ url: address, log: silentLog, stream: `BENCH-${name}`, subjectPrefix: `${name}.evt` })
      : kafkaSink({ brokers: address, log: silentLog, topicPrefix: `${name}.` });
  return {
    sink,
    async [Symbol.asyncDispose]() {
      await sink.close();
      await (broker === "nats" ? removeStream(address, `BENCH-${name}`) : removeTopics(address, `${name}.`)).catch(
        () => undefined, // nothing was published yet
      );
    },
  };
}
