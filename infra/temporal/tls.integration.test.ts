import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";
import { NativeConnection } from "@temporalio/worker";
import { testServer } from "../stack/for-tests.ts";
import { makeCertificates } from "../testing/certificates.ts";
import { rejectionOf } from "../testing/rejection-of.ts";
import { tlsSuite } from "../testing/tls-suite.ts";
import { temporalConnection } from "./connection.ts";
import { securityOptions } from "./security.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let upstream: string;
beforeAll(async () => {
  upstream = await testServer("temporal");
}, 300_000);

tlsSuite("Temporal", {
  /** The dev server speaks no TLS: this stands before it, as a load balancer would. */
  async serve({ cert, key }, ca) {
    const { hostname, port } = new URL(`tcp://${upstream}`);
    const sockets = new Set<Socket>();
    const options = { cert, key, ca: ca.cert, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2"] };
    const server = createServer(options, (socket) => {
      const inner = connect(Number(port), hostname);
      sockets.add(inner);
      for (const [one, other] of [
        [socket, inner],
        [inner, socket],
      ] as const) {
        one.on("data", (data) => void other.write(data));
        one.on("error", () => undefined);
        one.on("close", () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      address: (host) => `${host}:${(server.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  },
  async speak(address, tls) {
    // By an IP address the client needs to be told the name.
    const security = { tls, ...(address.startsWith("127.") && { serverName: "localhost" }) };
    const temporal = temporalConnection({ address, security, deadlineMs: 3_000 });
    try {
      await temporal.check();
    } finally {
      await temporal.close();
    }
    await (await NativeConnection.connect({ address, ...securityOptions(security) })).close();
  },
});

test("Temporal's API key is sent with each call, by TLS", async () => {
  await using certificates = await makeCertificates();
  const keys: (string | undefined)[] = [];
  const server = createSecureServer({ cert: certificates.good.cert, key: certificates.good.key });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    keys.push(headers["authorization"]);
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "12" }, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `localhost:${(server.address() as AddressInfo).port}`;
  const security = { tls: { ca: certificates.ca.cert }, apiKey: "s3cret" };
  const temporal = temporalConnection({ address, security, deadlineMs: 3_000 });
  await rejectionOf(temporal.check());
  expect(keys.length).toBeGreaterThan(0);
  expect(new Set(keys)).toEqual(new Set(["Bearer s3cret"]));
  await temporal.close();
  server.close();
});
