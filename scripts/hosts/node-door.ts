/** The checks of the door on Node: over its own HTTP server, and sockets of the package `ws`. Its last line is the outcome as JSON. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { ClientSocket } from "#infra/client/mod.ts";
import type { Serve } from "#infra/door/door-bench.ts";
import { serveSocket } from "#infra/door/mod.ts";
import { printDoor } from "./print-door.ts";

const overNode: Serve = async (door) => {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const gone = new AbortController();
      outgoing.once("close", () => gone.abort());
      const { status, headers, body } = await door(requestOf(incoming, gone.signal));
      outgoing.writeHead(status, Object.fromEntries(headers));
      outgoing.flushHeaders();
      const reader = body?.getReader();
      outgoing.once("close", () => void reader?.cancel().catch(() => undefined));
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
        outgoing.write(part.value);
      outgoing.end();
    })().catch(() => outgoing.destroy());
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_048_576 });
  server.on("upgrade", (incoming, socket, head) => {
    const request = requestOf(incoming);
    if (!door.wantsSocket(request) || door.refuseSocket(request) !== undefined) return socket.destroy();
    return sockets.handleUpgrade(incoming, socket, head, (opened) => serveSocket(door, request, opened));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    fetch: (request) => fetch(request),
    webSocket(url) {
      const socket = new WebSocket(url);
      socket.on("error", () => undefined); // an error that nobody hears ends the process
      return socket as unknown as ClientSocket;
    },
    async close() {
      server.closeAllConnections();
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

function requestOf(incoming: IncomingMessage, signal?: AbortSignal): Request {
  const { method = "GET", url = "/", headers } = incoming;
  const body =
    method === "GET"
      ? null
      : new ReadableStream<Uint8Array>({
          async start(controller) {
            for await (const chunk of incoming) controller.enqueue(chunk as Uint8Array);
            controller.close();
          },
        });
  return new Request(`http://${headers.host}${url}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as [string, string]] : [],
    ),
    body,
    ...(signal && { signal }),
    duplex: "half",
  } as RequestInit);
}

await printDoor(overNode);
process.exit(0); // the timer that watches over slow bodies rests only after a while
