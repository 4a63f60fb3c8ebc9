import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { removeKeys } from "./redis-keys.ts";
import { insist, place, stockUp, untilOrder } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const TOLD = [
  "delivery.dispatched.v1",
  "delivery.scheduled.v1",
  "order.delivered.v1",
  "order.paid.v1",
  "order.placed.v1",
];

let rabbitmq: OwnBroker;
let redisUrl: string;
let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  [rabbitmq, redisUrl] = await Promise.all([OwnBroker.start("rabbitmq"), testServer("redis")]);
  harness = await openHarness({ environment: { RABBITMQ_URL: rabbitmq.address, REDIS_URL: redisUrl } });
  app = await harness.start().ready();
  await stockUp(app, "SUB-1", 500);
}, 300_000);
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await rabbitmq?.[Symbol.asyncDispose]();
  if (harness !== undefined) await removeKeys(redisUrl, `${harness.cluster}:`);
}, 60_000);

interface Invoice {
  readonly invoiceId: string;
  readonly orderId: string;
  readonly total: number;
}

const untilInvoiced = (orderId: string): Promise<Invoice> =>
  eventually(`the invoice of ${orderId} is issued`, 90_000, async () => {
    const { status, body } = await app.get(`/invoices/${orderId}`).catch(() => ({ status: 0, body: undefined }));
    return status === 200 && (body as Invoice);
  });

/** The types of what a customer was told of an order, sorted, once all of `TOLD` is among them. */
const untilTold = (customerId: string, orderId: string): Promise<readonly string[]> =>
  eventually(`${customerId} was told of ${orderId}`, 90_000, async () => {
    const { status, body } = await app
      .get(`/notifications/${customerId}`)
      .catch(() => ({ status: 0, body: undefined }));
    if (status !== 200) return undefined;
    const { items } = body as { readonly items: readonly { readonly type: string; readonly orderId: string }[] };
    const types = items.filter((item) => item.orderId === orderId).map(({ type }) => type);
    return TOLD.every((type) => types.includes(type)) && types.toSorted();
  });

async function invoicesIssued(): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const ids = new Set<string>();
  for (const { id, type, subject } of await harness.natsEvents()) {
    if (type !== "invoice.issued.v1" || ids.has(id)) continue;
    ids.add(id);
    counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return counts;
}

test("an order ends with one invoice, from RabbitMQ, and its notifications, from Redis", async () => {
  const id = await place(app, "SUB-1", 2, { customerId: "first" });
  await untilOrder(app, id, "delivered");
  const invoice = await untilInvoiced(id);
  expect(invoice).toMatchObject({ invoiceId: `inv_${id.slice(4)}`, orderId: id, total: 500 });
  expect((await app.get(`/orders/${id}`)).body).toMatchObject({ invoice });
  expect(await untilTold("first", id)).toEqual(TOLD);
  const { body } = await app.get("/ready");
  expect((body as { components: { name: string; status: string }[] }).components).toMatchObject([
    { name: "postgres", status: "up" },
    { name: "nats", status: "up" },
    { name: "kafka" },
    { name: "rabbitmq", status: "up" },
    { name: "redis", status: "up" },
    { name: "temporal", status: "up" },
    { name: "docker" },
    { name: "worker", status: "up" },
  ]);
});

test("40 orders have one invoice each and all notifications while the app is killed twice and RabbitMQ is away", async () => {
  const ids: string[] = [];
  const placing = (async () => {
    for (let i = 0; i < 40; i++) {
      const order = { customerId: `customer-${i % 4}`, lines: [{ sku: "SUB-1", quantity: 1 }] };
      const placed = await insist(() => app.post("/orders", order, { "idempotency-key": `sub-${i}` }), 120_000);
      expect(placed.status).toBe(201);
      ids.push((placed.body as { orderId: string }).orderId);
    }
  })();
  const untilPlaced = (count: number): Promise<boolean> =>
    eventually(`${count} orders are placed`, 120_000, async () => ids.length >= count);
  await untilPlaced(10);
  await app.kill();
  app = harness.start();
  await untilPlaced(15);
  await rabbitmq.kill();
  await untilPlaced(25);
  await app.kill();
  app = harness.start();
  await placing;
  await rabbitmq.start();

  for (const [i, id] of ids.entries()) {
    await untilOrder(app, id, "delivered");
    expect((await untilInvoiced(id)).total).toBe(250);
    expect(await untilTold(`customer-${i % 4}`, id)).toEqual(TOLD);
  }
  const issued = await eventually("every invoice is published", 60_000, async () => {
    const counts = await invoicesIssued();
    return ids.every((id) => counts.has(id)) && counts;
  });
  expect(ids.map((id) => issued.get(id))).toEqual(ids.map(() => 1));
  expect((await app.get("/ready")).status).toBe(200);
}, 400_000);
