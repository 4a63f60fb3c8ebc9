/** The checks of the door on Deno, over its own HTTP server and its own sockets. Its last line is the outcome as JSON. */
import type { Serve } from "#infra/door/door-bench.ts";
import { denoFetch } from "#infra/door/mod.ts";
import { printDoor } from "./print-door.ts";

interface DenoServer {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}

declare const Deno: {
  exit(code: number): never;
  serve(
    options: { readonly port: number; readonly hostname: string; onListen(): void },
    handler: (request: Request) => Promise<Response>,
  ): DenoServer;
};

const overDeno: Serve = (door) => {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => undefined };
  const server = Deno.serve(options, (request) => denoFetch(door, request));
  return Promise.resolve({
    url: `http://127.0.0.1:${server.addr.port}`,
    fetch: (request: Request) => fetch(request),
    webSocket: (url: string) => new WebSocket(url),
    close: () => server.shutdown(),
  });
};

await printDoor(overDeno);
Deno.exit(0); // the timer that watches over slow bodies rests only after a while
