import { expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { eventually } from "#infra/testing/eventually.ts";
import { createIngress } from "./app.ts";
import { stubDeps } from "./testing/stub-deps.ts";

setDefaultTimeout(60_000);

/** Of a server's idle timeout; the one of the app is longer, and does the same. */
const IDLE_SECONDS = 2;
const EACH = 100;
const LETS_GO_WITHIN_MS = 45_000;

const HEADERS = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
const BODY =
  "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";

test("two hundred senders of a byte a second are let go, and everybody else is served meanwhile (S7)", async () => {
  const ingress = createIngress(stubDeps());
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: IDLE_SECONDS,
    fetch: (request) => ingress.handle(request),
  });
  let open = 0;
  const slow = [HEADERS, BODY].flatMap((head) =>
    Array.from({ length: EACH }, (): Socket => {
      const socket = connect(server.port ?? 0, "127.0.0.1", () => {
        open++;
        socket.write(head);
      });
      socket.on("error", () => undefined);
      socket.on("close", () => open--);
      socket.resume();
      return socket;
    }),
  );
  await eventually("all are connected", 10_000, async () => open === slow.length);
  const dripping = setInterval(() => slow.forEach((socket) => socket.writable && socket.write("a")), 1_000);
  try {
    await eventually("all are let go", LETS_GO_WITHIN_MS, async () => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/health`);
      expect(await answer.json()).toEqual({ status: "ok" });
      return open === 0;
    });
  } finally {
    clearInterval(dripping);
    for (const socket of slow) socket.destroy();
    await server.stop(true);
  }
});
