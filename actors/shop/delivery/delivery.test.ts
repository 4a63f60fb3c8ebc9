import { expect, test } from "bun:test";
import { emittedBy, outboxOf, timersOf } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { createDelivery, Delivery } from "./delivery.ts";

const parcel = { orderId: "ord_1", address: "Main Street 1", workflowId: "fulfil-order/ord_1" };

/** A courier whose timers do not fire within a test: `advance` is called by hand. */
async function courier() {
  const store = memory();
  const troupe = await createTroupe({ actors: [createDelivery({ step: "1h" })], stores: { default: store } });
  return { store, delivery: troupe.ref(Delivery, "ord_1"), [Symbol.asyncDispose]: () => troupe.stop() };
}

test("Delivery moves from scheduled to delivered and tells the workflow of dispatch and delivery", async () => {
  await using c = await courier();
  expect(await c.delivery.schedule(parcel)).toMatchObject({ status: "scheduled" });
  await c.delivery.advance();
  expect(await c.delivery.get()).toMatchObject({ status: "dispatched" });
  await c.delivery.advance();
  await c.delivery.advance(); // late timer: nothing more to do
  expect((await c.delivery.get())?.history.map(({ status }) => status)).toEqual([
    "scheduled",
    "dispatched",
    "delivered",
  ]);
  expect(await emittedBy(c.store)).toEqual([
    "delivery.scheduled.v1",
    "delivery.dispatched.v1",
    "signal",
    "delivery.delivered.v1",
    "signal",
  ]);
  const signals = (await outboxOf(c.store)).filter(({ name }) => name === "signal");
  expect(signals).toMatchObject([
    { target: "fulfil-order/ord_1", data: { signal: { name: "deliveryDispatched" } } },
    { target: "fulfil-order/ord_1", data: { signal: { name: "deliveryDelivered" } } },
  ]);
});

test("Delivery.schedule() repeated schedules one parcel", async () => {
  await using c = await courier();
  await c.delivery.schedule(parcel);
  await c.delivery.schedule(parcel);
  expect(await emittedBy(c.store)).toEqual(["delivery.scheduled.v1"]);
});

test("Delivery.recall() stops the courier wherever the parcel is", async () => {
  await using c = await courier();
  await c.delivery.schedule(parcel);
  await c.delivery.advance();
  expect(await c.delivery.recall()).toMatchObject({ status: "recalled" });
  expect(await timersOf(c.store)).toEqual([]);
  await c.delivery.advance();
  expect(await c.delivery.recall()).toMatchObject({ status: "recalled" });
});

test("Delivery.recall() that overtakes its schedule keeps the parcel from leaving", async () => {
  await using c = await courier();
  await c.delivery.recall();
  await expect(c.delivery.schedule(parcel)).rejects.toMatchObject({ reason: "delivery_recalled" });
  expect(await timersOf(c.store)).toEqual([]);
});

test("Delivery.orderEnded() calls a parcel back, and leaves nothing where there never was one", async () => {
  await using c = await courier();
  await c.delivery.orderEnded(undefined, { id: "evt_1" });
  expect(await c.delivery.get()).toBeNull();
  await c.delivery.schedule({ ...parcel, customerId: "cus_1" });
  await c.delivery.orderEnded();
  expect(await c.delivery.get()).toMatchObject({ status: "recalled" });
  expect(await timersOf(c.store)).toEqual([]);
});

test("Delivery.orderEnded() lets a parcel that was delivered be", async () => {
  await using c = await courier();
  await c.delivery.schedule(parcel);
  await c.delivery.advance();
  await c.delivery.advance();
  await c.delivery.orderEnded();
  expect(await c.delivery.get()).toMatchObject({ status: "delivered" });
});

test("the events of a delivery say whose it is, where that was said", async () => {
  await using c = await courier();
  await c.delivery.schedule({ ...parcel, customerId: "cus_1" });
  await c.delivery.advance();
  const events = (await outboxOf(c.store)).filter(({ name }) => name.startsWith("delivery."));
  expect(events.map(({ data }) => data)).toMatchObject([{ customerId: "cus_1" }, { customerId: "cus_1" }]);
});
