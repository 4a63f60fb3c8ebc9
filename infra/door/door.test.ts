import { describe, test } from "bun:test";
import { inProcess, type Serve } from "./door-bench.ts";
import { doorChecks } from "./door-conformance.ts";
import { bunSockets } from "./mod.ts";

const overHttp: Serve = (door) => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", ...bunSockets(door) });
  return Promise.resolve({
    url: `http://127.0.0.1:${server.port}`,
    fetch: (request: Request) => fetch(request),
    webSocket: (url: string) => new WebSocket(url),
    close: () => server.stop(true),
  });
};

describe("the door in one process", () => {
  for (const [check, run] of Object.entries(doorChecks(inProcess))) test(check, run);
});

describe("the door over real connections", () => {
  for (const [check, run] of Object.entries(doorChecks(overHttp))) test(check, run);
});
