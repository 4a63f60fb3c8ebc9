import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import type { CloudEvent } from "./cloud-event.ts";
import { type Harness, openHarness } from "./harness.ts";
import { level, place, stockUp, untilOrder } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const LIFE = ["order.placed.v1", "order.reserved.v1", "order.paid.v1", "order.shipped.v1", "order.delivered.v1"];

let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  harness = await openHarness({ kafka: true });
  app = await harness.start().ready();
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

const ofOrder = (events: readonly CloudEvent[], id: string): CloudEvent[] =>
  events.filter(({ type, subject }) => type.startsWith("order.") && subject === id);
const idsOf = (events: readonly CloudEvent[]): string[] => events.map(({ id }) => id);

test("an order goes from placed to delivered, and its events are the same on NATS and Kafka, in order", async () => {
  await stockUp(app, "TEA-1", 10);
  const id = await place(app, "TEA-1", 3);
  const order = await untilOrder(app, id, "delivered");
  expect(order.history.map(({ status }) => status)).toEqual(["placed", "reserved", "paid", "shipped", "delivered"]);
  expect([order.payment?.status, order.delivery?.status]).toEqual(["captured", "delivered"]);
  expect(await level(app, "TEA-1")).toMatchObject({ onHand: 7, reserved: 0, available: 7 });

  const [nats, kafka] = await eventually("both brokers have the events", 20_000, async () => {
    const both = await Promise.all([harness.natsEvents(), harness.kafkaEvents()]);
    return both.every((events) => ofOrder(events, id).length >= LIFE.length) && both;
  });
  expect(ofOrder(nats, id).map(({ type }) => type)).toEqual(LIFE);
  expect(idsOf(ofOrder(kafka, id))).toEqual(idsOf(ofOrder(nats, id)));
});

test("a declined payment turns the order down and gives the stock back", async () => {
  await stockUp(app, "TEA-2", 5);
  const id = await place(app, "TEA-2", 5, { paymentToken: "tok_declined" });
  const order = await untilOrder(app, id, "rejected");
  expect(order.reason).toBe("payment_declined");
  await eventually("the stock is back", 10_000, async () => (await level(app, "TEA-2")).available === 5);
});

test("an order of more than there is ends rejected, and takes nothing", async () => {
  await stockUp(app, "TEA-3", 2);
  const id = await place(app, "TEA-3", 3);
  expect((await untilOrder(app, id, "rejected")).reason).toBe("out_of_stock");
  expect(await level(app, "TEA-3")).toMatchObject({ onHand: 2, reserved: 0 });
});

test("an order of something unknown ends rejected", async () => {
  const id = await place(app, "NOBODY-HAS-THIS", 1);
  expect((await untilOrder(app, id, "rejected")).reason).toBe("unknown_sku");
});

test("a payment that fails twice and then succeeds is taken once", async () => {
  await stockUp(app, "TEA-4", 1);
  const id = await place(app, "TEA-4", 1, { paymentToken: "tok_flaky" });
  await untilOrder(app, id, "delivered");
  const captured = await eventually("the capture is published", 10_000, async () => {
    const events = (await harness.natsEvents()).filter(
      ({ type, subject }) => type === "payment.captured.v1" && subject === id,
    );
    return events.length > 0 && events;
  });
  expect(new Set(idsOf(captured)).size).toBe(1);
});

test("an order of an amount alone needs no stock", async () => {
  const answer = await app.post("/orders", { amount: 1_234 });
  expect(answer.status).toBe(201);
  await untilOrder(app, (answer.body as { orderId: string }).orderId, "delivered");
});

test("orders are listed by status and customer", async () => {
  const id = await place(app, "TEA-1", 1, { customerId: "lister" });
  await untilOrder(app, id, "delivered");
  const { body } = await app.get("/orders?status=delivered&customerId=lister");
  expect((body as { items: { orderId: string }[] }).items.map(({ orderId }) => orderId)).toEqual([id]);
});

test("a workflow is shown under its percent-encoded id", async () => {
  const id = await place(app, "TEA-1", 1);
  await untilOrder(app, id, "delivered");
  const shown = await eventually("the workflow has ended", 10_000, async () => {
    const { status, body } = await app.get(`/workflows/${encodeURIComponent(`fulfil-order/${id}`)}`);
    expect(status).toBe(200);
    return (body as { status: string }).status === "COMPLETED" && body;
  });
  expect(shown).toMatchObject({
    workflowId: `fulfil-order/${id}`,
    type: "fulfilOrder",
    result: { status: "delivered" },
  });
});
