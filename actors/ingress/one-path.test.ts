/**
 * One reading of a request's address: whatever stands in `Host` and in the request line, a route is reached only by who may use
 * it, or not at all. Over real sockets, as only there the server makes the URL.
 */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { accessOf, type Access } from "#infra/http/access.ts";
import { Problem } from "#infra/http/problem.ts";
import { Guard } from "../access/guard/guard.ts";
import { gatewayRoutes } from "../gateway/http/gateway.ts";
import { orchestratorRoutes } from "../orchestrator/http/orchestrator.ts";
import { createIngress, type Ingress } from "./app.ts";
import { HttpCounts } from "./http-counts.ts";
import { stubDeps } from "./testing/stub-deps.ts";

setDefaultTimeout(120_000);

const SECRETS = { admin: "a".repeat(40), orders: "o".repeat(40), events: "e".repeat(40), services: "s".repeat(40) };
const AT_ONCE = 16;

/** How often anything behind the routes was asked. */
let reached = 0;
const counts = new HttpCounts();

function ingressWith(guard: Guard | undefined): Ingress {
  const behind = (): never => {
    reached++;
    throw new Problem(503, "unavailable", "Not here in this test", { retryAfter: 1 });
  };
  const deps = stubDeps({
    troupe: behind,
    orders: behind,
    workflows: behind,
    counts,
    ...(guard && { guard }),
    metrics: { scrape: async () => ({ contentType: "text/plain", text: behind() }) },
  });
  const gateway = {
    ...deps,
    directory: behind,
    validator: {} as never,
    nouns: () => new Set<string>(),
    secrets: { open: async (text: string) => text },
  };
  return createIngress(deps, [orchestratorRoutes({ troupe: behind }), ...gatewayRoutes(gateway)]);
}

const authenticate = async (secret: string) => {
  const scope = (Object.keys(SECRETS) as (keyof typeof SECRETS)[]).find((name) => SECRETS[name] === secret);
  return scope && { keyId: `key_${scope}`, scopes: [scope] };
};
const guarded = ingressWith(new Guard({ authenticate }));
const open = ingressWith(undefined);
const serve = (ingress: Ingress) =>
  Bun.serve({ port: 0, hostname: "127.0.0.1", development: false, fetch: (request) => ingress.handle(request) });
const servers = { guarded: serve(guarded), open: serve(open) };
afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop(true))));

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly hosts: readonly string[];
  readonly key?: string | undefined;
  readonly version?: "1.0" | "1.1";
}

async function send(to: keyof typeof servers, { method, target, hosts, key, version = "1.1" }: Sent) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(servers[to].port ?? 0, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => void (text += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(text));
  const lines = [
    `${method} ${target} HTTP/${version}`,
    ...hosts.map((host) => `Host: ${host}`),
    ...(key === undefined ? [] : [`Authorization: Bearer ${key}`]),
    "Content-Length: 0",
    "Connection: close",
  ];
  socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  const answer = await promise;
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1] ?? 0), head, body };
}

async function together<T>(all: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await one(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Values of `Host` that are no host, or more than one. */
const HOSTILE_HOSTS: readonly (readonly string[])[] = [
  [],
  [""],
  ["localhost/health?q="],
  ["localhost/health"],
  ["localhost/?"],
  ["localhost?q="],
  ["localhost#"],
  ["x/events?a="],
  ["u@localhost"],
  ["localhost:80@x"],
  ["local\\host"],
  ["local host"],
  ["localhost:port"],
  ["localhost:99999"],
  ["localhost:80:80"],
  ["localhost", "localhost"],
  ["localhost", "evil.example"],
  ["localhost, evil.example"],
  ["localhost,evil.example"],
  ["[::1"],
  ["::1"],
  ["[evil]"],
  ["<localhost>"],
  ["local\u00e4host"],
  ["http://localhost/health"],
  ["//localhost/health"],
  ["%00"],
  ["a".repeat(300)],
];
/** Hosts that are fine, of every length, and whatever the URL's readers do with them. */
const GOOD_HOSTS = ["x", "ab", "api", "app", "web", "h:1", "localhost", "127.0.0.1:3000", "[::1]:3000", "shop.example"];

interface Route {
  readonly method: string;
  readonly path: string;
  readonly access: Access;
}

/** Every mounted route, asked for in a way that fits it. */
const routes: readonly Route[] = guarded.routes.map(({ method, path, hooks }) => ({
  method,
  path: path.replaceAll(/:[a-zA-Z]+/g, "x1").replace("*", "rest"),
  access: accessOf(hooks),
}));
const closed = routes.filter(({ access }) => access !== "open");
/** A key that is good, for anything but this route. */
const wrongKeyFor = (access: Access): string | undefined =>
  access === "key" ? undefined : SECRETS[access === "orders" ? "events" : "orders"];

test("a Host that is none, is missing or repeated is 400 on every route, and nothing behind it is asked", async () => {
  expect(routes.length).toBeGreaterThan(60);
  reached = 0;
  const cases = routes.flatMap((route) => HOSTILE_HOSTS.map((hosts) => ({ ...route, hosts })));
  await together(cases, async ({ method, path, hosts }) => {
    const { status, head, body } = await send("guarded", { method, target: path, hosts, key: SECRETS.admin });
    expect([method, path, hosts, status]).toEqual([method, path, hosts, 400]);
    // Without any Host the server itself answers, and says nothing.
    if (hosts.length > 0) expect(JSON.parse(body)).toMatchObject({ code: "host.invalid", status: 400 });
    if (hosts.length > 0) expect(head.toLowerCase()).toContain("x-trace-id");
  });
  for (const version of ["1.0", "1.1"] as const)
    expect((await send("guarded", { method: "GET", target: "/health", hosts: [], version })).status).toBe(400);
  expect(reached).toBe(0);
});

test("under any good Host, short ones too, every route is found, and refused to who may not use it", async () => {
  reached = 0;
  const cases = closed.flatMap((route) => GOOD_HOSTS.map((host) => ({ ...route, hosts: [host] })));
  await together(cases, async ({ method, path, access, hosts }) => {
    const nobody = await send("guarded", { method, target: path, hosts });
    expect([method, path, hosts, nobody.status]).toEqual([method, path, hosts, 401]);
    const key = wrongKeyFor(access);
    if (key === undefined) return;
    const wrong = await send("guarded", { method, target: path, hosts, key });
    expect([method, path, hosts, wrong.status]).toEqual([method, path, hosts, 403]);
  });
  expect(reached).toBe(0);
  for (const host of GOOD_HOSTS) {
    expect((await send("guarded", { method: "GET", target: "/health", hosts: [host] })).status).toBe(200);
    const found = await send("guarded", { method: "GET", target: "/products", hosts: [host], key: SECRETS.orders });
    expect([host, found.status]).toEqual([host, 503]); // it came to the route, and there is nothing behind it
  }
});

test("absolute targets, queries that look like paths, encoded slashes and dots open no route", async () => {
  reached = 0;
  const open = ["/health", "/ready", "/openapi/json"];
  const targets = closed.flatMap(({ method, path, access }) =>
    [
      `http://localhost${path}`,
      `http://localhost/health/..${path}`,
      `http://evil.example${path}?x=/health`,
      `https://u:p@localhost${path}`,
      `${path}?a=/health`,
      `${path}?/health`,
      `${path}#/health`,
      `${path}%3f/health`,
      `${path}%23/health`,
      `/health/..${path}`,
      `/health/%2e%2e${path}`,
      `/health%2f..${path}`,
      `/health%2f%2e%2e${path}`,
      `/./${path.slice(1)}`,
      `/${path}`,
      `${path}/`,
      `${path}//`,
      `${path}/%2e`,
      path.replaceAll("/", "%2f"),
      `/%2f${path.slice(1)}`,
      path.replace("/", "/\\"),
      path.replaceAll("/", "\\"),
      `/${encodeURIComponent(path.slice(1))}`,
      path.replace(/^\/(.)/, (_, first: string) => `/%${first.charCodeAt(0).toString(16)}`),
      ...open.map((other) => `${other}?q=${path}`),
    ].map((target) => ({ method, target, access })),
  );
  await together(targets, async ({ method, target, access }) => {
    for (const key of [undefined, wrongKeyFor(access)]) {
      const { status, body } = await send("guarded", { method, target, hosts: ["localhost"], key });
      const where = [method, target, key === undefined ? "no key" : "wrong scope", status];
      const isOpen = method === "GET" && open.some((other) => target.startsWith(`${other}?q=`));
      expect([...where, isOpen ? status === 200 : status >= 400 && status < 500]).toEqual([...where, true]);
      if (status >= 400 && body !== "") expect(JSON.parse(body)).toMatchObject({ status });
    }
  });
  expect(reached).toBe(0);
});

test("with keys off only names of this machine are answered (DNS rebinding)", async () => {
  reached = 0;
  await together(routes, async ({ method, path }) => {
    for (const host of ["evil.example", "api", "localhost.evil.example", "0.0.0.0", "127.0.0.1.evil.example:3000"]) {
      const { status, body } = await send("open", { method, target: path, hosts: [host] });
      expect([method, path, host, status]).toEqual([method, path, host, 421]);
      expect(JSON.parse(body)).toMatchObject({ code: "host.unknown" });
    }
  });
  expect(reached).toBe(0);
  for (const host of ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "app.localhost"])
    expect([host, (await send("open", { method: "GET", target: "/health", hosts: [host] })).status]).toEqual([
      host,
      200,
    ]);
});

test("metrics count a request under the route that took it, and under no other", async () => {
  const before = new Map(
    [...counts.counts()].map(({ route, method, status, value }) => [`${route} ${method} ${status}`, value]),
  );
  const key = SECRETS.admin;
  await send("guarded", { method: "GET", target: "/keys?limit=1", hosts: ["x"], key });
  await send("guarded", { method: "GET", target: "/health?a=/keys", hosts: ["x"] });
  await send("guarded", { method: "GET", target: "/orders/ord_1", hosts: ["api"], key });
  await send("guarded", { method: "GET", target: "/keys", hosts: ["localhost/health?q="], key });
  const grown = [...counts.counts()]
    .map(({ route, method, status, value }) => [`${route} ${method} ${status}`, value] as const)
    .filter(([name, value]) => value !== (before.get(name) ?? 0));
  expect(Object.fromEntries(grown.map(([name, value]) => [name, value - (before.get(name) ?? 0)]))).toEqual({
    "/health GET 200": 1,
    "/keys GET 503": 1,
    "/orders/:id GET 503": 1,
    "none GET 400": 1,
  });
});
