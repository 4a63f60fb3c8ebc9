/**
 * What the server under the ingress makes of odd but lawful HTTP/1.1. These tests hold what is so today: where Bun mends a fault, one
 * of them fails, and what the docs say of it has to go.
 */
import { afterAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { createIngress } from "./app.ts";
import { stubDeps } from "./testing/stub-deps.ts";

const gate = Promise.withResolvers<void>();
const ingress = createIngress(
  stubDeps({
    readiness: async () => {
      await gate.promise;
      return { status: "ready", components: [] };
    },
  }),
);
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  development: false,
  fetch: (request) => ingress.handle(request),
});
afterAll(() => server.stop(true));

const HOST = "Host: localhost\r\n";
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (path: string, trailers: string): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n${trailers}\r\n`;
const last = `GET /nothing HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;

/** The statuses of all answers on one connection, when the server has closed it. */
async function statusesOf(text: string, sent: () => void = () => undefined): Promise<number[]> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(server.port ?? 0, "127.0.0.1");
  let heard = "";
  socket.on("data", (chunk: Buffer) => void (heard += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(heard));
  socket.write(text, sent);
  return [...(await promise).matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

test("requests that are sent together on one connection are answered each, in their order", async () => {
  expect(await statusesOf(get("/health") + post("/orders", "{}") + get("/health") + last)).toEqual([
    200, 422, 200, 404,
  ]);
});

test("a chunked body without trailers leaves the connection as it was", async () => {
  expect(await statusesOf(chunked("/orders", "") + last)).toEqual([422, 404]);
});

test("a chunked body with trailers is answered, and then its connection ends with a bare 400 (a fault of Bun)", async () => {
  expect(await statusesOf(chunked("/orders", "X-Checksum: 1\r\n") + last)).toEqual([422, 400]);
});

test("an answer that takes long is not overtaken by the next one on its connection", async () => {
  const statuses = statusesOf(get("/ready") + last, () => gate.resolve());
  expect(await statuses).toEqual([200, 404]);
});
