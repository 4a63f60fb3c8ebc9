import { afterAll, beforeAll, setDefaultTimeout } from "bun:test";
import { silentLog } from "#runtime";
import { eventRecords } from "#runtime/testing";
import { Ports } from "../stack/ports.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { tlsSuite } from "../testing/tls-suite.ts";
import { pingRabbitMq } from "./ping.ts";
import { rabbitMqSink } from "./sink.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("rabbitmq");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

tlsSuite("RabbitMQ", {
  /** A further listener of the one broker. */
  async serve({ certFile, keyFile }, ca) {
    const ports = new Ports(false);
    const port = await ports.pick(5671);
    const options = `[{cacertfile, "${ca.certFile}"}, {certfile, "${certFile}"}, {keyfile, "${keyFile}"}, {verify, verify_peer}, {fail_if_no_peer_cert, true}]`;
    const listen = `rabbit_networking:start_ssl_listener({"127.0.0.1", ${port}}, ${options}, 2)`;
    await broker.tool("rabbitmqctl", "eval", `rabbit_networking:ensure_ssl(), ${listen}.`);
    return {
      address: (host) => `amqps://guest:guest@${host}:${port}`,
      async [Symbol.asyncDispose]() {
        ports[Symbol.dispose]();
      },
    };
  },
  async speak(url, tls) {
    await pingRabbitMq(url, 3_000, tls);
    const sink = rabbitMqSink({ url, tls, log: silentLog, unroutable: "pass" });
    await sink.publish(eventRecords(1, { targets: 1, types: ["order.placed.v1"] }), 1);
    await sink.close();
  },
});
