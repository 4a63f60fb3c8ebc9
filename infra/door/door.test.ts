import { describe, test } from "bun:test";
import { doorChecks, inProcess, type Serve } from "./door-conformance.ts";

const overHttp: Serve = (door) => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: door });
  return Promise.resolve({
    url: `http://127.0.0.1:${server.port}`,
    fetch: (request: Request) => fetch(request),
    close: () => server.stop(true),
  });
};

describe("the door in one process", () => {
  for (const [check, run] of Object.entries(doorChecks(inProcess))) test(check, run);
});

describe("the door over real connections", () => {
  for (const [check, run] of Object.entries(doorChecks(overHttp))) test(check, run);
});
