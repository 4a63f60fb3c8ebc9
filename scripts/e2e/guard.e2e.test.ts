import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { followTopics, type Following } from "#actors/ingress/web/follow-topics.ts";
import type { Stock } from "#actors/shop/stock/stock.ts";
import { CallError, connect } from "#infra/client/mod.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const REVOKED_WITHIN_MS = 1_000;
const KNOWN_WITHIN_MS = 250;

let harness: Harness;
let first: AppProcess;
let second: AppProcess;
let admin: string;

beforeAll(async () => {
  harness = await openHarness({ environment: { TROUPE_AUTH: "on", TROUPE_ROLES: "ingress,actors,workflows" } });
  [first, second] = [harness.start(), harness.start()];
  await Promise.all([first.ready(), second.ready()]);
  admin = await eventually("the first admin key is shown", 30_000, async () => keysIn(first, second)[0]);
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

/** The keys that the processes have printed. */
function keysIn(...apps: AppProcess[]): string[] {
  return apps.flatMap((app) => app.log().match(/tk_[A-Za-z0-9_-]{43}/g) ?? []);
}

function send(app: AppProcess, method: string, path: string, key?: string, body?: unknown): Promise<Answer> {
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return app.send(method, path, body === undefined ? undefined : JSON.stringify(body), headers);
}

async function makeKey(scopes: string[]): Promise<{ id: string; key: string }> {
  const { status, body } = await send(first, "POST", "/keys", admin, { name: "e2e", scopes });
  expect(status).toBe(201);
  const made = body as { id: string; key: string };
  for (const app of [first, second])
    await eventually("the key is known", KNOWN_WITHIN_MS, async () => {
      return (await send(app, "GET", "/orders?limit=1", made.key)).status !== 401;
    });
  return made;
}

test("processes that start together show one admin key, once", async () => {
  expect(keysIn(first, second)).toEqual([admin]);
  expect((await send(second, "GET", "/keys", admin)).status).toBe(200);
});

test("a key places orders at any process, and is refused at every one within a second of its end", async () => {
  const { id, key } = await makeKey(["orders"]);
  for (const app of [first, second]) {
    await eventually("the key is known", KNOWN_WITHIN_MS, async () => {
      return (await send(app, "POST", "/orders", key, { amount: 100 })).status === 201;
    });
    expect((await send(app, "GET", "/keys", key)).status).toBe(403);
    expect((await send(app, "POST", "/orders", undefined, { amount: 100 })).status).toBe(401);
    expect((await send(app, "GET", "/health")).status).toBe(200);
  }
  expect((await send(first, "DELETE", `/keys/${id}`, admin)).status).toBe(200);
  for (const app of [first, second])
    await eventually("the key is refused", REVOKED_WITHIN_MS, async () => {
      return (await send(app, "GET", "/orders", key)).status === 401;
    });
});

test("a socket opens with a bearer key, or once with a ticket that another process gave", async () => {
  const { key } = await makeKey(["orders"]);
  const socketOf = async (app: AppProcess, query = ""): Promise<string> =>
    `${(await app.listening()).replace("http", "ws")}/ws${query}`;
  const opens = (url: string, headers: Record<string, string> = {}): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, { headers } as never);
      socket.onopen = () => {
        resolve(true);
        socket.close();
      };
      socket.onerror = () => resolve(false);
    });
  expect(await opens(await socketOf(first))).toBe(false);
  expect(await opens(await socketOf(first, `?ticket=${key}`))).toBe(false);
  expect(await opens(await socketOf(first), { authorization: `Bearer ${key}` })).toBe(true);
  const { ticket } = (await send(first, "POST", "/tickets", key)).body as { ticket: string };
  const url = await socketOf(second, `?ticket=${ticket}`);
  expect([await opens(url), await opens(url)]).toEqual([true, false]);
});

test("the sockets of a key are closed with 1008 at every process once it is revoked, rotated away or has run out", async () => {
  const [revoked, rotated, kept] = [await makeKey(["orders"]), await makeKey(["orders"]), await makeKey(["orders"])];
  const until = new Date(Date.now() + 5_000).toISOString();
  const { body } = await send(first, "POST", "/keys", admin, { name: "e2e", scopes: ["orders"], expiresAt: until });
  const expiring = (body as { key: string }).key;
  const closed = new Map<string, number>();
  const open: WebSocket[] = [];
  for (const [name, app] of Object.entries({ first, second }))
    for (const [of, key] of Object.entries({ revoked: revoked.key, rotated: rotated.key, kept: kept.key, expiring })) {
      const address = `${(await app.listening()).replace("http", "ws")}/ws`;
      const { ticket } = await eventually("there is a ticket", 2_000, async () => {
        const answer = await send(app, "POST", "/tickets", key);
        return answer.status === 201 && (answer.body as { ticket: string });
      });
      const byTicket = new WebSocket(`${address}?ticket=${ticket}`);
      const byKey = new WebSocket(address, { headers: { authorization: `Bearer ${key}` } } as never);
      for (const [how, socket] of Object.entries({ byTicket, byKey })) {
        socket.onclose = ({ code }) => void closed.set(`${of} ${how} ${name}`, code);
        open.push(socket);
      }
    }
  await eventually("all are open", 2_000, async () => open.every(({ readyState }) => readyState > 0));
  await send(first, "DELETE", `/keys/${revoked.id}`, admin);
  await send(second, "POST", `/keys/${rotated.id}/rotate`, admin, { overlap: "0s" });
  await eventually("twelve are closed", 10_000, async () => closed.size === 12);
  expect([...closed].filter(([of, code]) => of.startsWith("kept") || code !== 1008)).toEqual([]);
  for (const socket of open) socket.close();
});

test("a socket follows what its key is good for", async () => {
  const { key } = await makeKey(["orders"]);
  // A key is known within a second wherever it was not made.
  const { ticket } = await eventually("the key is known", 10_000, async () => {
    const answer = await send(first, "POST", "/tickets", key);
    return answer.status === 201 && (answer.body as { ticket: string });
  });
  const heard: string[] = [];
  const refused: string[] = [];
  const address = `${(await first.listening()).replace("http", "ws")}/ws?ticket=${ticket}`;
  const following: Following = followTopics(address, ["orders"], {
    onMessage: ({ topic }) => void heard.push(topic),
    onError: ({ code }) => void refused.push(code),
  });
  await eventually("an order is heard of", 30_000, async () => {
    await send(first, "POST", "/orders", key, { amount: 100 });
    return heard.includes("orders");
  });
  following.add(["services"]);
  await eventually("other topics are refused", 5_000, async () => refused.includes("forbidden_topic"));
  following.close();
});

test("GET /metrics shows what the process did, to an admin, with closed labels", async () => {
  const { key } = await makeKey(["services"]);
  expect((await first.get("/metrics")).status).toBe(401);
  expect((await send(first, "GET", "/metrics", key)).status).toBe(403);
  for (let i = 0; i < 20; i++) await first.get(`/orders/${crypto.randomUUID()}`);
  const text = await eventually("each metric is there", 15_000, async () => {
    // A turn counts where its actor lives: some of the orders live at the first process.
    await send(first, "POST", "/orders", admin, { amount: 100 });
    const shown = String((await send(first, "GET", "/metrics", admin)).body);
    if (!/^troupe_turns_total\{actor="order",message="place",outcome="ok"\} [1-9]/m.test(shown)) return undefined;
    return METRICS.every((name) => new RegExp(`^${name}[_{ ]`, "m").test(shown)) && shown;
  });
  expect(text).toMatch(/^troupe_http_requests_total\{route="\/orders\/:id",method="GET",status="401"\} [1-9]/m);
  expect(text.match(/route="\/orders\/[^:]/g)).toBeNull();
});

const METRICS = [
  "troupe_turns_total",
  "troupe_turn_seconds",
  "troupe_commit_seconds",
  "troupe_commit_batch_turns",
  "troupe_mailbox_depth",
  "troupe_actors_active",
  "troupe_outbox_pending",
  "troupe_outbox_publish_seconds",
  "troupe_dead_letters",
  "troupe_partitions_owned",
  "troupe_timers_due",
  "troupe_http_requests_total",
  "troupe_http_request_seconds",
  "troupe_ws_connections",
  "troupe_reconcile_seconds",
];

test("no key is in what the processes wrote but the one that was shown (S28)", async () => {
  const { key } = await makeKey(["orders"]);
  await send(first, "GET", "/orders", key);
  await send(first, "GET", `/orders?key=${key}`);
  expect(keysIn(first, second)).toEqual([admin]);
});

test("the typed client calls over a socket and in batches at any process, until its key is revoked at another", async () => {
  const { id, key } = await makeKey(["admin"]);
  const sku = `SOCKET-${crypto.randomUUID().slice(0, 8).toUpperCase()}`;
  const clients = await Promise.all(
    (["websocket", "batch"] as const).map(async (transport, i) => {
      const url = `${await (i === 0 ? first : second).listening()}/rpc`;
      return connect<{ stock: typeof Stock }>(url, { auth: key, transport, timeoutMs: 10_000 });
    }),
  );
  try {
    const [overSocket, inBatches] = clients.map((client) => client.ref("stock", sku));
    await overSocket?.putProduct({ name: "Tea", price: 450, currency: "EUR" });
    await Promise.all([1, 2, 3].map((quantity) => inBatches?.refill({ quantity })));
    for await (const { state } of clients[0]?.watch("stock", sku) ?? []) {
      expect(state.onHand).toBe(6);
      break;
    }
    expect((await send(second, "DELETE", `/keys/${id}`, admin)).status).toBe(200);
    await eventually("the socket is refused what it asks", REVOKED_WITHIN_MS, async () => {
      const error: unknown = await overSocket?.level().catch((thrown: unknown) => thrown);
      return error instanceof CallError;
    });
  } finally {
    for (const client of clients) client.close();
  }
});
