import { afterAll, beforeAll, expect, test } from "bun:test";
import { Guard } from "#actors/access/guard/guard.ts";
import { KeyDirectory } from "#actors/access/guard/key-directory.ts";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { createEndpoint, Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { Route } from "#actors/gateway/route/route.ts";
import { EventSchema } from "#actors/gateway/schema/schema.ts";
import { createSource } from "#actors/gateway/source/source.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { shopActors } from "#actors/shop/actors.ts";
import { Order } from "#actors/shop/order/order.ts";
import { openOtel } from "#infra/otel/otel.ts";
import { TraceStore } from "#infra/otel/trace-store.ts";
import { plainBox } from "#infra/secrets/secret-box.ts";
import { WorkflowClientError } from "#infra/temporal/client-error.ts";
import { createTroupe, memory, type Troupe } from "#runtime";
import type { WorkflowClient } from "#workflows/client.ts";
import { createIngress, type Ingress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";
import type { Missing } from "./find.ts";
import type { Hit } from "./hit.ts";
import type { LoggedLine } from "./process-log.ts";

const ADMIN = "admin-key-of-these-tests-0123456789";
const EP = "ep_0199c0de-0000-7000-8000-000000000001";
const LINE: LoggedLine = { at: "2026-11-29T10:00:00.000Z", level: "error", event: "turn:failed", text: "" };

let troupe: Troupe;
let app: Ingress;
let directory: KeyDirectory;
let orderId: string;
let traceId: string;
let listing: () => Promise<never[]> = async () => [];

beforeAll(async () => {
  const gateway = [createEndpoint(plainBox), createSource(plainBox), EventSchema, Route];
  const actors = [...shopActors(), Service, Keyring, ...gateway];
  const traces = new TraceStore();
  const tracing = openOtel({ processors: [traces], sampling: () => true });
  troupe = await createTroupe({ actors, stores: { default: memory() }, tracing, recentTurns: 5 });
  directory = new KeyDirectory({ adminKey: ADMIN, read: (since) => troupe.ref(Keyring, "main").table({ since }) });
  const guard = new Guard({ authenticate: (secret) => directory.find(secret) });
  app = createIngress(
    stubDeps({
      ...{ troupe: () => troupe, guard, tracing, traces },
      orders: () => ({ page: () => listing() }),
      workflows: () => ({ describe: describeRun }) as unknown as WorkflowClient,
      search: {
        ...{ actors, sinks: ["kafka"], containers: () => undefined },
        lines: { find: (text) => [{ ...LINE, text: `{"key":"${text}"}` }] },
      },
    }),
  );
  const placed = await send("POST", "/orders", { amount: 500 });
  orderId = String(((await placed.json()) as { orderId: string }).orderId);
  traceId = placed.headers.get("x-trace-id") ?? "";
  await troupe.ref(Order, orderId).reject({ reason: "payment_declined" });
});
afterAll(() => troupe.stop());

/** Temporal, as far as a search asks it: one run that failed. */
async function describeRun(id: string): Promise<unknown> {
  if (id !== `fulfil-order/${orderId}`) throw new WorkflowClientError("workflow_not_found", "none");
  const failure = { type: "payment_declined", message: "The card was declined" };
  return { status: "FAILED", type: "fulfilOrder", startedAt: LINE.at, closedAt: null, failure, pendingActivities: [] };
}

function send(method: string, path: string, body?: unknown, key = ADMIN): Promise<Response> {
  return app.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
}

async function search(q: string, key = ADMIN): Promise<{ readonly items: Hit[]; readonly missing: Missing[] }> {
  const answer = await send("GET", `/search?${new URLSearchParams({ q }).toString()}`, undefined, key);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { items: Hit[]; missing: Missing[] };
}

async function keyFor(...scopes: string[]): Promise<string> {
  const made = (await (await send("POST", "/keys", { name: "test", scopes })).json()) as { key: string };
  directory.changed();
  return made.key;
}

test("an order's id finds the order, its workflow, trace, actor, events and log lines, each with what went wrong", async () => {
  const { items, missing } = await search(orderId);
  expect(missing).toEqual([]);
  const of = (kind: string): Hit[] => items.filter((one) => one.kind === kind);
  expect(of("order")).toMatchObject([
    { id: orderId, status: "rejected", failed: true, detail: "payment declined", page: `/shop/orders/${orderId}` },
  ]);
  expect(of("workflow")).toMatchObject([{ failed: true, detail: "payment_declined: The card was declined" }]);
  expect(of("trace").map(({ id }) => id)).toContain(traceId);
  expect(of("actor").map(({ id }) => id)).toContain(`order/${orderId}`);
  expect(of("event").map(({ title }) => title)).toEqual(["order.rejected.v1", "order.placed.v1"]);
  expect(of("log")).toMatchObject([{ title: "turn:failed", failed: true, page: `/console/search?q=${orderId}` }]);
  expect(items.map(({ kind }) => kind).toSorted()).not.toEqual(items.map(({ kind }) => kind));
  expect(items[0]?.kind).toBe("order");
});

test("its workflow's id, its trace's id and its address find the order too", async () => {
  for (const id of [`fulfil-order/${orderId}`, traceId, `order/${orderId}`, `kafka:${orderId}`]) {
    const { items } = await search(id);
    expect([id, items.find(({ kind }) => kind === "order")?.id]).toEqual([id, orderId]);
  }
});

test("a key finds what it is good for, and is told what was not looked at", async () => {
  const { items, missing } = await search(orderId, await keyFor("orders"));
  expect([...new Set(items.map(({ kind }) => kind))]).toEqual(["order"]);
  expect(missing).toContainEqual({ kind: "workflow", why: "scope" });
  expect(missing).toContainEqual({ kind: "log", why: "scope" });
  expect((await search(orderId, await keyFor("events"))).items).toEqual([]);
  // A trace names orders, which a key that may not see traces must not learn by its id.
  expect((await search(traceId, await keyFor("orders"))).items).toEqual([]);
  expect((await send("GET", `/search?q=${orderId}`, undefined, "tk_wrong")).status).toBe(401);
});

test("what does not answer is named, and hides nothing else", async () => {
  listing = () => Promise.reject(new Error("the read model is away"));
  const { items, missing } = await search("log that nobody wrote");
  expect(missing).toEqual([{ kind: "order", why: "unavailable" }]);
  expect(items.map(({ kind }) => kind)).toContain("log");
  listing = () => new Promise<never>(() => undefined); // never answers
  const since = performance.now();
  expect((await search("as long as that")).missing).toEqual([{ kind: "order", why: "unavailable" }]);
  expect(performance.now() - since).toBeLessThan(10_000);
  listing = async () => [];
});

test("what the gateway is configured with is found by its name, its type and its address", async () => {
  await troupe.ref(Endpoint, EP).create({ url: "https://hooks.example/in", types: ["*"] } as never);
  const { items } = await search("hooks.example", await keyFor("events"));
  expect(items).toMatchObject([{ kind: "endpoint", id: EP, detail: "https://hooks.example/in" }]);
});

test("a search without a text, or with one that is too long, is refused", async () => {
  for (const q of ["", "%20", "x".repeat(201)]) expect((await send("GET", `/search?q=${q}`)).status).toBe(422);
});
