import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createIngress } from "#actors/ingress/app.ts";
import { stubDeps } from "#actors/ingress/testing/stub-deps.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { Random } from "../chaos/random.ts";
import { HOSTILE_BODIES, HOSTILE_TEXTS } from "../fuzz/hostile.ts";
import { inputs, type Operation, operationsOf } from "../fuzz/inputs.ts";
import { faultOf } from "../fuzz/verdict.ts";
import { sendRaw } from "../fuzz/wire.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

// The suite makes the same requests each time, so that a failure is news of the code. `TROUPE_FUZZ=5000` makes a long run of
// other ones, `TROUPE_FUZZ_SEED=…` one again.
const LONG = process.env["TROUPE_FUZZ"];
const COUNT = Number(LONG ?? 900);
const SEED = Number(process.env["TROUPE_FUZZ_SEED"] ?? (LONG === undefined ? 697_024_921 : Date.now() % 2 ** 32));
const AT_ONCE = 8;
setDefaultTimeout(60_000 + COUNT * 100);

const ADMIN = "fuzz-admin-key-0123456789-0123456789";
const STRANGER = "tk_fuzzStrangerKeyAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

let harness: Harness;
let app: AppProcess;
let url: URL;

beforeAll(async () => {
  harness = await openHarness({ environment: { TROUPE_AUTH: "on", TROUPE_ADMIN_KEY: ADMIN } });
  app = await harness.start().ready();
  url = new URL(await app.listening());
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

const asAdmin = { authorization: `Bearer ${ADMIN}` };

async function documented(): Promise<readonly Operation[]> {
  return operationsOf((await app.get("/openapi/json")).body);
}

/** Not every server runs beside these tests: what needs Docker may be away. */
const needsDocker = (target: string): boolean => /^\/(?:config|services|s\/)/.test(target);

test(`${COUNT} hostile requests get no 5xx, no bare error, and nothing of the inside (seed ${SEED})`, async () => {
  const operations = (await documented()).filter(({ streams }) => !streams);
  expect(operations.length).toBeGreaterThan(50);
  const keys = { nobody: undefined, stranger: STRANGER, admin: ADMIN };
  const run = inputs(operations, keys, new Random(SEED), COUNT);
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  const worker = async (): Promise<void> => {
    for (const input of run) {
      const answer = await sendRaw(url, input.request).catch((error: unknown) => String(error));
      const fault = typeof answer === "string" ? answer : faultOf(input, answer, [ADMIN, STRANGER], needsDocker);
      if (typeof answer !== "string") statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (fault !== undefined) {
        const { body, ...request } = input.request;
        const sent = new TextDecoder().decode(body).slice(0, 300);
        faults.push(JSON.stringify({ fault, asker: input.asker, request, sent, answer }).slice(0, 3_000));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  console.log(`fuzz: seed ${SEED}, ${COUNT} requests, statuses ${JSON.stringify(Object.fromEntries(statuses))}`);
  expect(faults).toEqual([]);
  expect(app.log()).not.toContain('"http:failed"');
  for (const secret of [ADMIN, STRANGER]) expect(app.log()).not.toContain(secret);
});

/** Names of customers as nobody should write them, some of which are fine. */
const CUSTOMERS = [
  ...HOSTILE_TEXTS,
  "Ünter den Linden",
  "a/b?c#d",
  "x%2fy",
  "😀",
  "a\tb",
  "\u007f",
  "\u0085",
  "\ufeffx",
  "a\u00a0b",
];

test("what the door takes, every actor and page behind it takes: nothing becomes poison", async () => {
  const taken: { readonly customerId: string; readonly orderId: string }[] = [];
  for (const customerId of CUSTOMERS) {
    const { status, body } = await app.post("/orders", { amount: 100, customerId }, asAdmin);
    expect([customerId, [201, 400, 422].includes(status)]).toEqual([customerId, true]);
    if (status === 201) taken.push({ customerId, orderId: (body as { orderId: string }).orderId });
  }
  expect(taken.length).toBeGreaterThan(10);
  const get = (path: string) => app.send("GET", path, undefined, asAdmin);
  for (const { customerId, orderId } of taken) {
    const name = encodeURIComponent(customerId);
    expect([customerId, (await get(`/orders/${orderId}`)).status]).toEqual([customerId, 200]);
    await eventually(`the orders and notices of ${customerId} are listed`, 30_000, async () => {
      const orders = await get(`/orders?limit=200&customerId=${name}`);
      const notices = await get(`/notifications/${name}`);
      // A busy server may ask for patience, as while the list of orders is first built.
      if (orders.status === 503 || notices.status === 503) return false;
      expect([customerId, orders.status, notices.status]).toEqual([customerId, 200, 200]);
      const listed = (orders.body as { items: { orderId: string }[] }).items.some((one) => one.orderId === orderId);
      const told = (notices.body as { items: { orderId: string }[] }).items.some((one) => one.orderId === orderId);
      return listed && told;
    });
  }
  expect((await get("/dead-letters?reason=poison")).body).toMatchObject({ items: [] });
});

test("afterwards the app serves as before", async () => {
  expect((await app.get("/health")).body).toEqual({ status: "ok" });
  expect((await app.get("/ready")).status).toBe(200);
  const placed = await app.post("/orders", { amount: 100 }, asAdmin);
  expect([placed.status, (placed.body as { total: number }).total]).toEqual([201, 100]);
});

test("no hostile body reaches the prototype of all objects", async () => {
  const deps = stubDeps();
  const ingress = createIngress(deps);
  for (const { method, path } of ingress.routes) {
    if (method === "GET") continue;
    for (const body of HOSTILE_BODIES) {
      const url = `http://localhost${path}?__proto__[polluted]=yes`;
      const init = { method, body: body as BodyInit, headers: { "content-type": "application/json" } };
      expect((await ingress.handle(new Request(url, init))).status).toBeOneOf([201, 400, 404, 413, 415, 422, 503]);
    }
  }
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("random paths make no series of their own", async () => {
  const series = async (): Promise<number> =>
    String((await app.send("GET", "/metrics", undefined, asAdmin)).body)
      .split("\n")
      .filter((line) => line.startsWith("troupe_http_requests_total{")).length;
  await app.get("/random");
  const before = await series();
  for (let n = 0; n < COUNT; n += 50)
    await Promise.all(Array.from({ length: 50 }, () => app.get(`/${crypto.randomUUID()}?q=${n}`)));
  expect(await series()).toBeLessThanOrEqual(before + 1); // that of /metrics itself
});
