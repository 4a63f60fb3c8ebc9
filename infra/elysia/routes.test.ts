import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { createTroupe, memory, memoryTopics, type Troupe } from "#runtime";
import { CallError, connect } from "../client/mod.ts";
import { Counter } from "../door/door-bench.ts";
import { expose } from "../door/mod.ts";
import { actorRoutes } from "./mod.ts";

let troupe: Troupe;
beforeEach(async () => {
  troupe = await createTroupe({ actors: [Counter], stores: { default: memory() }, topics: memoryTopics() });
});
afterEach(() => troupe.stop());

const open = () => actorRoutes(troupe, { base: "/actors", actors: [Counter], authorize: () => true });

test("a plugin has a route with its OpenAPI operation for each message that is listed, and no other", () => {
  const routes = actorRoutes(troupe, {
    base: "/actors",
    actors: [expose(Counter, { messages: ["add"], watch: false })],
    authorize: () => true,
    describe: (operation) => ({ ...operation, tags: ["mine"] }),
    maxBatch: 0,
    socket: false,
  });
  const mounted = routes.routes.map(({ method, path }) => `${method} ${path}`);
  expect(mounted).toEqual(["POST /actors/counter/:key/add"]);
  const [{ hooks } = { hooks: {} }] = routes.routes;
  expect((hooks as { detail?: unknown }).detail).toMatchObject({ operationId: "counter_add", tags: ["mine"] });
});

test("the guard comes before everything: the body, the door, and the socket", async () => {
  const seen: string[] = [];
  const routes = actorRoutes(troupe, {
    base: "/actors",
    actors: [Counter],
    authorize: () => true,
    guard(request) {
      seen.push(new URL(request.url).pathname);
      return request.headers.has("authorization") ? undefined : new Response("who?", { status: 401 });
    },
  });
  const app = new Elysia().use(routes).listen({ port: 0, hostname: "127.0.0.1" });
  try {
    const url = `http://127.0.0.1:${app.server?.port}/actors`;
    const refused = await fetch(`${url}/counter/a/add`, { method: "POST", body: "{" });
    expect([refused.status, await refused.text()]).toEqual([401, "who?"]);
    expect((await fetch(`${url}/batch`, { method: "POST", body: "[]" })).status).toBe(401);
    expect(await connect(url, { auth: "x" }).ref(Counter, "a").add({ by: 2 })).toBe(2);
    const socket = connect(url, { transport: "websocket", timeoutMs: 300 });
    const error: unknown = await socket
      .ref(Counter, "a")
      .value()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CallError);
    expect([...new Set(seen)]).toEqual(["/actors/counter/a/add", "/actors/batch", "/actors/socket"]);
  } finally {
    await app.stop(true);
  }
});

test("an application without a server of its own answers all but sockets", async () => {
  const app = new Elysia().use(open());
  const ask = (path: string, init?: RequestInit) => app.fetch(new Request(`http://localhost/actors${path}`, init));
  const json = { "content-type": "application/json" };
  expect(await (await ask("/counter/a%2Fb/add", { method: "POST", headers: json, body: `{"by":3}` })).json()).toBe(3);
  expect(await troupe.ref(Counter, "a/b").value()).toBe(3);
  expect((await ask("/socket", { headers: { upgrade: "websocket" } })).status).toBe(426);
});

describe("calls, streams and sockets through the plugin", () => {
  for (const transport of ["http", "batch", "websocket"] as const) {
    test(`the client calls, watches and follows: ${transport}`, async () => {
      const routes = actorRoutes(troupe, {
        base: "/actors",
        actors: [expose(Counter, { topics: () => ["counters/all"] })],
        authorize: () => true,
      });
      const app = new Elysia().use(routes).listen({ port: 0, hostname: "127.0.0.1" });
      const client = connect(`http://127.0.0.1:${app.server?.port}/actors`, { transport });
      try {
        const visits = client.ref(Counter, "a");
        const sums = await Promise.all([1, 2, 3].map(() => visits.add({ by: 1 })));
        expect(sums.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
        for await (const { state } of client.watch(Counter, "a")) {
          if (state.count === 5) break;
          await visits.add({ by: 1 });
        }
      } finally {
        client.close();
        routes.door.close();
        await app.stop(true);
      }
    });
  }
});
