import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { Ticket } from "#actors/access/ticket/ticket.ts";
import { Order } from "#actors/shop/order/order.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { ACCESS, type Access } from "#infra/http/access.ts";
import { createTroupe, memory, type Troupe } from "#runtime";
import { createIngress, type Ingress } from "../../ingress/app.ts";
import { HttpCounts } from "../../ingress/http-counts.ts";
import { stubDeps } from "../../ingress/testing/stub-deps.ts";
import { orchestratorRoutes } from "../../orchestrator/http/orchestrator.ts";
import { trustedProxies } from "./client-address.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { KeyDirectory } from "./key-directory.ts";

const ADMIN = "admin-key-of-these-tests-0123456789";
const ORIGIN = "https://shop.example";

let troupe: Troupe;
let directory: KeyDirectory;
let app: Ingress;
const counts = new HttpCounts();

beforeAll(async () => {
  troupe = await createTroupe({ actors: [Keyring, Order, Stock, Ticket], stores: { default: memory() } });
  directory = new KeyDirectory({
    adminKey: ADMIN,
    read: (since) => troupe.ref(Keyring, "main").table({ since }),
  });
  app = ingress({ authenticate: (secret) => directory.find(secret) });
});
afterAll(() => troupe.stop());

function ingress(guard: GuardOptions): Ingress {
  const deps = stubDeps({
    troupe: () => troupe,
    guard: new Guard(guard),
    counts,
    origins: () => [ORIGIN],
    metrics: { scrape: async () => ({ contentType: "text/plain", text: "up 1\n" }) },
  });
  return createIngress(deps, [orchestratorRoutes({ troupe: () => troupe })]);
}

interface Asked {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly on?: Ingress;
}

async function ask(method: string, path: string, { key, body, headers = {}, on = app }: Asked = {}) {
  const response = await on.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, json, text };
}

async function makeKey(scopes: string[], more: object = {}): Promise<{ id: string; key: string }> {
  const { status, json } = await ask("POST", "/keys", { key: ADMIN, body: { name: "test", scopes, ...more } });
  expect(status).toBe(201);
  directory.changed();
  return { id: String(json["id"]), key: String(json["key"]) };
}

/** Every route with who may use it, as the document says; hidden ones as they say themselves. */
function everyRoute(): { method: string; path: string; access: Access }[] {
  return app.routes.map(({ method, path, hooks }) => ({
    method,
    path: path.replaceAll(/:[a-zA-Z]+/g, "x1").replace("*", "rest"),
    access: (hooks?.["detail"] as Record<string, Access> | undefined)?.[ACCESS] as Access,
  }));
}

describe("authentication", () => {
  test("every route says who may use it, in the document as well", async () => {
    for (const { path, access } of everyRoute())
      expect([path, ["orders", "events", "services", "admin", "key", "open"].includes(access)]).toEqual([path, true]);
    // Pages and what they are made of are for everybody: what they show, they ask for. Of the rest these alone are open.
    const open = app.routes.flatMap(({ method, path, hooks }) => {
      const detail = hooks?.["detail"] as Record<string, unknown> | undefined;
      return detail?.[ACCESS] === "open" && detail["hide"] !== true ? [`${method} ${path}`] : [];
    });
    expect(open.sort()).toEqual(["GET /config/schema", "GET /health", "GET /ready"]);
    for (const { method, path, access } of everyRoute())
      if (access === "open") expect([path, method]).toEqual([path, "GET"]);
    const document = (await ask("GET", "/openapi/json")).json as {
      paths: Record<string, Record<string, { security: unknown[]; responses: object }>>;
    };
    for (const [path, operations] of Object.entries(document.paths))
      for (const operation of Object.values(operations)) {
        const isOpen = ["/health", "/ready", "/config/schema"].includes(path);
        expect([path, operation.security.length, "401" in operation.responses]).toEqual([
          path,
          isOpen ? 0 : 1,
          !isOpen,
        ]);
      }
  });

  test("every other route answers 401 without a good key, and never reads the request first (S1)", async () => {
    const { key: revoked, id } = await makeKey(["admin"]);
    await ask("DELETE", `/keys/${id}`, { key: ADMIN });
    directory.changed();
    const headers = [
      undefined,
      `Bearer ${"x".repeat(46)}`,
      `Bearer ${revoked}`,
      "Basic dTpw",
      "Bearer",
      `bearer ${ADMIN} x`,
    ];
    for (const { method, path, access } of everyRoute()) {
      if (access === "open") continue;
      for (const authorization of headers) {
        const answer = await ask(method, path, {
          headers: authorization === undefined ? {} : { authorization },
          ...(method === "GET" ? {} : { body: "{ not json" }),
        });
        expect([method, path, authorization, answer.status]).toEqual([method, path, authorization, 401]);
        expect(answer.headers.get("www-authenticate")).toStartWith("Bearer");
        expect(answer.json["code"]).toBe(authorization === undefined ? "key.missing" : "key.invalid");
        expect(answer.json["errors"]).toBeUndefined();
      }
    }
  });

  test("an unknown path and method tell a stranger nothing, and an admin the truth", async () => {
    for (const [method, path, known] of [
      ["GET", "/nothing/here", 404],
      ["PATCH", "/orders", 405],
    ] as const) {
      expect((await ask(method, path)).status).toBe(401);
      expect((await ask(method, path, { key: ADMIN })).status).toBe(known);
    }
    expect((await ask("HEAD", "/orders")).status).toBe(401);
    for (const path of ["/orders", "/nothing/here"]) expect((await ask("OPTIONS", path)).status).toBe(401);
    expect((await ask("OPTIONS", "/orders", { key: ADMIN })).headers.get("allow")).toContain("POST");
    expect((await ask("HEAD", "/health")).status).toBe(200);
  });

  test("a key opens the routes of its scopes and no others; admin opens all (S3)", async () => {
    const keys = new Map<string, string>();
    for (const scope of ["orders", "events", "services", "admin"]) keys.set(scope, (await makeKey([scope])).key);
    for (const { method, path, access } of everyRoute()) {
      if (access === "open") continue;
      for (const [scope, key] of keys) {
        const may = scope === access || scope === "admin" || access === "key";
        const { status, json } = await ask(method, path, { key });
        expect([method, path, scope, status === 403]).toEqual([method, path, scope, !may]);
        expect(status).not.toBe(401);
        if (!may) expect(json["detail"]).toBe(`This needs a key with the scope ${access}`);
      }
    }
  });

  test("a key for orders reads products and stock, and neither sets a price nor adds pieces", async () => {
    const { key } = await makeKey(["orders"]);
    for (const path of ["/products", "/stock/TEA-9"])
      expect((await ask("GET", path, { key })).status).toBeOneOf([200, 404]);
    const put = { key, body: { name: "Tea", price: 1 } };
    expect((await ask("PUT", "/products/TEA-9", put)).json).toMatchObject({ status: 403, code: "scope.missing" });
    expect((await ask("PUT", "/products/TEA-9", { ...put, key: ADMIN })).status).toBe(200);
    expect((await ask("POST", "/stock/TEA-9/refill", { key, body: { quantity: 1 } })).status).toBe(403);
    expect((await ask("POST", "/stock/TEA-9/refill", { key: ADMIN, body: { quantity: 1 } })).status).toBe(200);
  });

  test("where it is off, nobody needs a key, and where there is no guard neither", async () => {
    expect((await ask("GET", "/keys", { on: ingress({}) })).status).toBe(200);
    expect((await ask("GET", "/keys", { on: createIngress(stubDeps({ troupe: () => troupe })) })).status).toBe(200);
  });
});

describe("keys", () => {
  test("a key is shown once, listed by its beginning, rotated with an overlap, and revoked", async () => {
    const made = await ask("POST", "/keys", { key: ADMIN, body: { name: "till", scopes: ["orders"] } });
    const first = String(made.json["key"]);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const rotated = await ask("POST", `/keys/${String(made.json["id"])}/rotate`, {
      key: ADMIN,
      body: { overlap: "1m" },
    });
    const second = String(rotated.json["key"]);
    directory.changed();
    for (const key of [first, second]) expect((await ask("GET", "/stock/NONE-1", { key })).status).not.toBe(401);
    const listed = await ask("GET", "/keys", { key: ADMIN });
    expect(listed.text).toContain(second.slice(0, 11));
    for (const secret of [first, second]) expect(listed.text).not.toContain(secret);
    expect((await ask("DELETE", `/keys/${String(made.json["id"])}`, { key: ADMIN })).status).toBe(200);
    directory.changed();
    for (const key of [first, second]) expect((await ask("GET", "/stock/NONE-1", { key })).status).toBe(401);
    expect((await ask("DELETE", `/keys/${String(made.json["id"])}`, { key: ADMIN })).status).toBe(404);
  });

  test("a key that has expired is refused", async () => {
    const { key } = await makeKey(["orders"], { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    expect((await ask("GET", "/stock/NONE-1", { key })).status).toBe(404);
    const later = new KeyDirectory({
      read: (since) => troupe.ref(Keyring, "main").table({ since }),
      now: () => Date.now() + 61_000,
    });
    const on = ingress({ authenticate: (secret) => later.find(secret) });
    expect((await ask("GET", "/stock/NONE-1", { key, on })).status).toBe(401);
  });

  test("a wrong request for a key is 422, a repeat under its Idempotency-Key 409, and neither makes one", async () => {
    for (const body of [
      { name: "x" },
      { name: "x", scopes: [] },
      { name: "x", scopes: ["root"] },
      { name: "x", scopes: ["orders"], isAdmin: true },
      { name: "x", scopes: ["orders"], expiresAt: "2020-01-01T00:00:00Z" },
      { name: "x", scopes: ["orders"], expiresAt: "soon" },
    ])
      expect([body, (await ask("POST", "/keys", { key: ADMIN, body })).status]).toEqual([body, 422]);
    const once = { key: ADMIN, body: { name: "once", scopes: ["orders"] }, headers: { "idempotency-key": "k-1" } };
    const [first, again] = [await ask("POST", "/keys", once), await ask("POST", "/keys", once)];
    expect([first.status, again.status, again.json["code"]]).toEqual([201, 409, "key.key_exists"]);
    expect(again.json["key"]).toBeUndefined();
  });

  test("the Idempotency-Key of one API key is none of another's (S25)", async () => {
    const headers = { "idempotency-key": "same" };
    const body = { amount: 100 };
    const [one, two] = [await makeKey(["orders"]), await makeKey(["orders"])];
    const ids: unknown[] = [];
    for (const key of [one.key, one.key, two.key])
      ids.push((await ask("POST", "/orders", { key, body, headers })).json["orderId"]);
    expect(ids[0]).toBeString();
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });
});

describe("rates", () => {
  test("one request too many is 429 with Retry-After, by address and by key, whatever X-Forwarded-For claims (S24)", async () => {
    let ms = 0;
    let peer = "203.0.113.1";
    const on = ingress({
      authenticate: (secret) => directory.find(secret),
      rateLimit: () => ({ perSecond: 1, burst: 3 }),
      peer: () => peer,
      trustedProxies: trustedProxies(["10.0.0.0/8"]),
      monotonic: () => ms,
    });
    for (let i = 0; i < 3; i++) {
      const { status, headers } = await ask("GET", "/health", {
        on,
        headers: { "x-forwarded-for": `198.51.100.${i}` },
      });
      expect([status, headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")]).toEqual([
        200,
        "3",
        `${2 - i}`,
      ]);
    }
    const refused = await ask("GET", "/health", { on, headers: { "x-forwarded-for": "198.51.100.9" } });
    expect([refused.status, refused.json["code"], refused.headers.get("retry-after")]).toEqual([
      429,
      "rate.exceeded",
      "1",
    ]);
    // A proxy that is trusted speaks for its clients.
    peer = "10.1.1.1";
    expect((await ask("GET", "/health", { on, headers: { "x-forwarded-for": "198.51.100.9" } })).status).toBe(200);
    // One key from many addresses.
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      peer = `192.0.2.${i}`;
      statuses.push((await ask("GET", "/keys", { on, key: ADMIN })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    // Many addresses of one customer.
    const hopping: number[] = [];
    for (let i = 0; i < 4; i++) {
      peer = `2001:db8::${i + 1}`;
      hopping.push((await ask("GET", "/health", { on })).status);
    }
    expect(hopping).toEqual([200, 200, 200, 429]);
    ms = 1_000;
    expect((await ask("GET", "/health", { on })).status).toBe(200);
  });

  test("wrong keys are counted against the address that tries them", async () => {
    const on = ingress({
      authenticate: (secret) => directory.find(secret),
      rateLimit: () => ({ perSecond: 1, burst: 2 }),
      peer: () => "203.0.113.2",
      monotonic: () => 0,
    });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask("GET", "/keys", { on, key: "x".repeat(46) })).status);
    expect(statuses).toEqual([401, 401, 429]);
  });
});

describe("pages of other origins", () => {
  test("may read answers where they are named to the character, without credentials", async () => {
    const preflight = { headers: { origin: ORIGIN, "access-control-request-method": "POST" } };
    const asked = await ask("OPTIONS", "/orders", preflight);
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, ORIGIN]);
    expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
    for (const path of ["/health", "/orders", "/nothing"]) {
      const { headers } = await ask("GET", path, { headers: { origin: ORIGIN } });
      expect([path, headers.get("access-control-allow-origin")]).toEqual([path, ORIGIN]);
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      expect(headers.get("vary")).toContain("origin");
    }
  });

  test("are told nothing where they are not", async () => {
    for (const origin of ["https://shop.example.evil", "http://shop.example", "https://SHOP.example", "null", "*"]) {
      const headers = { origin, "access-control-request-method": "POST" };
      for (const method of ["OPTIONS", "GET"]) {
        const answer = await ask(method, "/orders", { headers });
        expect([origin, answer.headers.get("access-control-allow-origin")]).toEqual([origin, null]);
      }
    }
  });
});

test("10,000 random paths, methods and keys make no series of their own (S29)", async () => {
  const series = () => [...counts.counts()].length;
  await ask("GET", "/random", {});
  await ask("GET", "/orders/random", {});
  const before = series();
  for (let i = 0; i < 10_000; i++)
    await app.handle(new Request(`http://localhost${i % 2 === 0 ? "" : "/orders"}/${crypto.randomUUID()}?q=${i}`));
  expect(series()).toBe(before);
  for (let i = 0; i < 20; i++) counts.answered("/orders", `M${i}`, 405, 0);
  expect(series()).toBe(before + 1);
  expect([...counts.counts()].map(({ route }) => route)).toContain("/orders/:id");
});

test("GET /metrics answers as the registry does, to an admin", async () => {
  const { status, text, headers } = await ask("GET", "/metrics", { key: ADMIN });
  expect([status, text, headers.get("content-type")]).toEqual([200, "up 1\n", "text/plain"]);
});
