import { beforeAll, setDefaultTimeout } from "bun:test";
import { silentLog } from "#runtime";
import { eventRecords } from "#runtime/testing";
import { ChildServer } from "../testing/child-server.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { listens, tlsSuite } from "../testing/tls-suite.ts";
import { pingRedis } from "./ping.ts";
import { redisSink } from "./sink.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let program: string;
beforeAll(async () => {
  await using broker = await OwnBroker.start("redis");
  program = broker.program;
}, 300_000);

tlsSuite("Redis", {
  async serve({ certFile, keyFile }, ca) {
    let port = 0;
    const server = await ChildServer.start(async (_, pick) => {
      port = await pick();
      const tls = ["--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", ca.certFile];
      const args = [
        "--port",
        "0",
        "--tls-port",
        String(port),
        "--bind",
        "127.0.0.1",
        "--requirepass",
        "s3cret",
        ...tls,
      ];
      return { command: program, args, ready: () => listens(port) };
    });
    return {
      address: (host) => `rediss://:s3cret@${host}:${port}`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  async speak(url, tls) {
    await pingRedis(url, 2_000, tls);
    const sink = redisSink({ url, tls, log: silentLog });
    await sink.publish(eventRecords(1, { targets: 1, types: ["order.placed.v1"] }), 1);
    await sink.close();
  },
});
