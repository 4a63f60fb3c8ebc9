import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLog } from "#runtime";
import { ChildServer } from "../testing/child-server.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { listens, tlsSuite } from "../testing/tls-suite.ts";
import { connectNats } from "./connection.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let program: string;
beforeAll(async () => {
  await using broker = await OwnBroker.start("nats");
  program = broker.program;
}, 300_000);

tlsSuite("NATS", {
  async serve({ certFile, keyFile }, ca) {
    let port = 0;
    const server = await ChildServer.start(async (folder, pick) => {
      port = await pick();
      const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${ca.certFile}", verify: true }`;
      const config = join(folder, "nats.conf");
      await writeFile(config, `listen: "127.0.0.1:${port}"\n${tls}\nauthorization { user: u, password: s3cret }\n`);
      return { command: program, args: ["-c", config], ready: () => listens(port) };
    });
    return {
      address: (host) => `tls://u:s3cret@${host}:${port}`,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  async speak(url, tls) {
    const link = connectNats({ url, tls, log: silentLog });
    try {
      await link.ready(3_000);
      await link.use("flush", 2_000, (client) => client.flush());
    } finally {
      await link.close();
    }
  },
});

test("connectNats() says nothing to a server without TLS where the address asks for it", async () => {
  await using broker = await OwnBroker.start("nats");
  const link = connectNats({ url: broker.address.replace("nats:", "tls:"), log: silentLog });
  await expect(link.ready(1_500)).rejects.toThrow("Cannot reach NATS");
  await link.close();
});
