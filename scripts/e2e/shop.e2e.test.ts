/**
 * The shop as a whole, over all four brokers: what becomes of orders in each way they can go, and 300 simulated ones at
 * once, after which everything must add up.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { removeRabbitMqObjects } from "./rabbitmq-objects.ts";
import { removeKeys } from "./redis-keys.ts";
import { level, place, stockUp, untilOrder } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let rabbitmqUrl: string;
let redisUrl: string;
let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  [rabbitmqUrl, redisUrl] = await Promise.all([testServer("rabbitmq"), testServer("redis")]);
  harness = await openHarness({
    kafka: true,
    environment: { RABBITMQ_URL: rabbitmqUrl, REDIS_URL: redisUrl, DELIVERY_STEP: "50ms", DECIDE_WITHIN: "20s" },
  });
  app = await harness.start().ready();
}, 300_000);
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  if (harness === undefined) return;
  await removeKeys(redisUrl, `${harness.cluster}:`);
  await removeRabbitMqObjects(rabbitmqUrl, harness.cluster);
}, 60_000);

interface Invoice {
  readonly number: string;
  readonly total: number;
  readonly charges: { readonly tax: number };
  readonly creditNotes: readonly { readonly number: string; readonly amount: number }[];
}

async function ask<T>(method: "GET" | "POST", path: string, body?: unknown, status = 200): Promise<T> {
  const answer: Answer = method === "GET" ? await app.get(path) : await app.post(path, body);
  if (answer.status !== status)
    throw new Error(`${method} ${path}: expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as T;
}

const untilInvoice = (orderId: string, fits: (invoice: Invoice) => boolean): Promise<Invoice> =>
  eventually(`the invoice of ${orderId} fits`, 30_000, async () => {
    const { status, body } = await app.get(`/invoices/${orderId}`);
    return status === 200 && fits(body as Invoice) && (body as Invoice);
  });

interface Invariants {
  readonly items: readonly { readonly name: string; readonly holds: boolean }[];
}

async function expectInvariants(): Promise<void> {
  const broken = await eventually("the invariants hold", 30_000, async () => {
    const { items } = await ask<Invariants>("GET", "/invariants?grace=0s");
    return items.every(({ holds }) => holds) && items;
  });
  expect(broken.length).toBe(7);
}

test("an invoice is issued when an order is paid, and not before; a returned order is credited", async () => {
  await stockUp(app, "TEA-1", 10);
  const declined = await place(app, "TEA-1", 1, { paymentToken: "tok_declined" });
  await untilOrder(app, declined, "rejected");
  const id = await place(app, "TEA-1", 2);
  await untilOrder(app, id, "delivered");
  const invoice = await untilInvoice(id, () => true);
  expect(invoice).toMatchObject({ total: 500, charges: { tax: 80 }, creditNotes: [] });
  expect(invoice.number).toMatch(/^\d{4}-\d{6}$/);
  expect((await app.get(`/invoices/${declined}`)).status).toBe(404);

  await ask("POST", `/orders/${id}/return`, undefined, 202);
  await untilOrder(app, id, "returned");
  const credited = await untilInvoice(id, ({ creditNotes }) => creditNotes.length > 0);
  expect(credited.creditNotes).toMatchObject([{ amount: 500, number: expect.stringMatching(/^CN-\d{4}-\d{6}$/) }]);
  expect(await level(app, "TEA-1")).toMatchObject({ onHand: 10, reserved: 0 });
  const late = await app.post(`/orders/${id}/return`);
  expect([late.status, (await ask<{ payment: { status: string } }>("GET", `/orders/${id}`)).payment.status]).toEqual([
    202, // the same answer again
    "refunded",
  ]);
});

test("a customer decides when only a part is in stock, and is refused when there is nothing to decide", async () => {
  await stockUp(app, "TEA-2", 1);
  const id = await place(app, "TEA-2", 3);
  await eventually(
    "the customer is asked",
    20_000,
    async () => (await ask<{ decision?: unknown }>("GET", `/orders/${id}`)).decision !== undefined,
  );
  await ask("POST", `/orders/${id}/decide`, { choice: "accept" });
  await untilOrder(app, id, "delivered");
  expect(await ask<{ total: number }>("GET", `/orders/${id}`)).toMatchObject({ total: 250 });
  const again = await app.post(`/orders/${id}/decide`, { choice: "accept" });
  expect([again.status, (again.body as { code: string }).code]).toEqual([409, "order.nothing_to_decide"]);
  const wrong = await app.post(`/orders/${id}/decide`, { choice: "perhaps" });
  expect(wrong.status).toBe(422);
});

test("an undo that was refused waits in sight, and is done when it is tried again", async () => {
  await stockUp(app, "TEA-3", 5);
  const id = await place(app, "TEA-3", 1, { paymentToken: "tok_refund_refused", address: "1 Lost Lane" });
  await untilOrder(app, id, "needs_attention");
  const order = await ask<{ undoFailures: unknown }>("GET", `/orders/${id}`);
  expect(order.undoFailures).toEqual([{ undo: "refundPayment", reason: "refund_refused" }]);
  await ask("POST", `/orders/${id}/retry-undo`);
  await untilOrder(app, id, "cancelled");
  const again = await app.post(`/orders/${id}/retry-undo`);
  expect([again.status, (again.body as { code: string }).code]).toEqual([409, "order.nothing_to_retry"]);
});

test("a courier tells where a parcel is, and cannot tell what cannot be", async () => {
  await stockUp(app, "TEA-4", 5);
  const id = await place(app, "TEA-4", 1);
  await untilOrder(app, id, "delivered");
  const old = await ask<{ status: string }>("POST", `/deliveries/${id}/updates`, { status: "in_transit" });
  expect(old.status).toBe("delivered");
  const wrong = await app.post(`/deliveries/${id}/updates`, { status: "returned" });
  expect([wrong.status, (wrong.body as { code: string }).code]).toEqual([409, "delivery.delivery_update_refused"]);
  expect((await app.post("/deliveries/ord_nobody/updates", { status: "lost" })).status).toBe(404);
});

test("a customer's limits hold, and orders are found by words", async () => {
  const put = await app.send(
    "PUT",
    "/customers/limited",
    JSON.stringify({
      name: "Ann",
      address: { street: "Rue Lepic 12", country: "FR" },
      limits: { maxOrderTotal: 2_000 },
    }),
    { "content-type": "application/json" },
  );
  expect(put.status).toBe(200);
  await stockUp(app, "TEA-5", 50);
  const big = await app.post("/orders", { customerId: "limited", lines: [{ sku: "TEA-5", quantity: 5 }] });
  expect([big.status, (big.body as { code: string }).code]).toEqual([422, "order.over_order_limit"]);
  const id = await place(app, "TEA-5", 1, { customerId: "limited" });
  const { items } = await ask<{ items: { orderId: string; total: number }[] }>("GET", "/orders?q=lepic&country=FR");
  expect(items).toMatchObject([{ orderId: id, total: 250 + 990 }]);
  await untilOrder(app, id, "delivered");
  await eventually("the customer's history knows it", 20_000, async () => {
    const { orders } = await ask<{ orders: { orderId: string; status: string }[] }>("GET", "/customers/limited");
    return orders.some(({ orderId, status }) => orderId === id && status === "delivered");
  });
});

test("300 simulated orders with every fate, and a kill in the middle: all at an end, all adds up, each invoice and notice once", async () => {
  const plan = {
    orders: 300,
    ratePerSecond: 60,
    declineShare: 0.1,
    cancelShare: 0.05,
    partialShare: 0.02,
    lostShare: 0.05,
  };
  const { id } = await ask<{ id: string }>("POST", "/simulations", plan, 202);
  interface Progress {
    readonly status: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly latency: Readonly<Record<string, { readonly p50Ms: number; readonly p99Ms: number }>>;
  }
  const progress = (): Promise<Progress> => ask<Progress>("GET", `/simulations/${id}`);
  await eventually("half of them are placed", 60_000, async () => ((await progress()).counts["placed"] ?? 0) >= 120);
  await app.kill();
  app = await harness.start().ready();
  const done = await eventually("the simulation is over", 150_000, async () => {
    const simulation = await progress();
    return simulation.status !== "running" && simulation;
  });
  expect(done.status).toBe("completed");
  const { delivered = 0, rejected = 0, cancelled = 0 } = done.counts;
  expect(done.counts).toMatchObject({ placed: 300, underWay: 0, needsAttention: 0, returned: 0 });
  expect(delivered + rejected + cancelled).toBe(300);
  expect(rejected).toBeWithin(28, 33);
  expect(done.latency["delivered"]?.p50Ms).toBeGreaterThan(0);
  await expectInvariants();

  const orders = Array.from({ length: 300 }, (_, number) => `ord_${id.slice("sim_".length)}-${number}`);
  const invoices = await Promise.all(
    orders.map(async (order) => (await app.get(`/invoices/${order}`)).body as Invoice),
  );
  const numbers = invoices.flatMap(({ number }) => (number === undefined ? [] : [number]));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeGreaterThanOrEqual(delivered);

  const told = new Map<string, number>();
  await eventually("every customer was told of every order", 30_000, async () => {
    told.clear();
    for (let customer = 0; customer < 50; customer++) {
      const { items } = await ask<{ items: { type: string; orderId: string }[] }>(
        "GET",
        `/notifications/sim-customer-${customer}`,
      );
      for (const { type, orderId } of items)
        if (type === "order.placed.v1") told.set(orderId, (told.get(orderId) ?? 0) + 1);
    }
    return told.size >= 300;
  });
  expect([told.size, Math.max(...told.values())]).toEqual([300, 1]);
  const { items: hours } = await ask<{ items: { orders: number; sold: number }[] }>("GET", "/sales");
  expect(hours.reduce((sum, { orders: count }) => sum + count, 0)).toBeGreaterThanOrEqual(delivered);
}, 300_000);

test("a simulation that is stopped places no more", async () => {
  const { id } = await ask<{ id: string }>("POST", "/simulations", { orders: 10_000, ratePerSecond: 5 }, 202);
  await eventually("it runs", 20_000, async () => {
    const { counts } = await ask<{ counts: { placed: number } }>("GET", `/simulations/${id}`);
    return counts.placed > 0;
  });
  await ask("POST", `/simulations/${id}/stop`, undefined, 202);
  const stopped = await eventually("it has stopped", 20_000, async () => {
    const simulation = await ask<{ status: string; counts: { placed: number } }>("GET", `/simulations/${id}`);
    return simulation.status === "stopped" && simulation;
  });
  expect(stopped.counts.placed).toBeLessThan(1_000);
  expect(
    (await app.post("/simulations", { orders: 1, ratePerSecond: 1, declineShare: 0.6, lostShare: 0.6 })).status,
  ).toBe(422);
});
