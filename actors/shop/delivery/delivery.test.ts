import { expect, test } from "bun:test";
import { emittedBy, outboxOf, timersOf } from "#infra/testing/outbox.ts";
import { createTroupe, memory, partitionOf, type TroupeError } from "#runtime";
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
  for (const status of ["dispatched", "in_transit"]) {
    await c.delivery.advance();
    expect(await c.delivery.get()).toMatchObject({ status });
  }
  await c.delivery.advance();
  await c.delivery.advance(); // late timer: nothing more to do
  expect((await c.delivery.get())?.history.map(({ status }) => status)).toEqual([
    "scheduled",
    "dispatched",
    "in_transit",
    "delivered",
  ]);
  expect(await emittedBy(c.store)).toEqual([
    "delivery.scheduled.v1",
    "delivery.dispatched.v1",
    "signal",
    "delivery.in-transit.v1",
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
  for (let step = 0; step < 3; step++) await c.delivery.advance();
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

const lines = (status: string) => ({ orderId: "ord_1", address: status, workflowId: "fulfil-order/ord_1" });
const signalsOf = async (store: Parameters<typeof outboxOf>[0]) =>
  (await outboxOf(store)).flatMap(({ name, data }) =>
    name === "signal" ? [(data as { signal: { name: string } }).signal.name] : [],
  );

test("Delivery.update() takes the courier's word in its order: a repeat is old news, a leap that cannot be is refused", async () => {
  await using c = await courier();
  await expect(c.delivery.update({ status: "dispatched" })).rejects.toMatchObject({ reason: "unknown_delivery" });
  await c.delivery.schedule(parcel);
  await expect(c.delivery.update({ status: "delivered" })).rejects.toMatchObject({ reason: "delivery_update_refused" });
  for (let times = 0; times < 2; times++) await c.delivery.update({ status: "dispatched" });
  await c.delivery.update({ status: "delivered", note: "Left with the neighbour" });
  expect(await c.delivery.update({ status: "in_transit" })).toMatchObject({ status: "delivered" });
  expect((await c.delivery.get())?.history.at(-1)).toMatchObject({
    status: "delivered",
    note: "Left with the neighbour",
  });
  expect(await signalsOf(c.store)).toEqual(["deliveryDispatched", "deliveryDelivered"]);
});

test("a parcel nobody takes comes back after the third attempt, and the workflow hears of its return", async () => {
  await using c = await courier();
  await c.delivery.schedule(lines("Nobody Home Street 1"));
  for (let step = 0; step < 6; step++) await c.delivery.advance();
  expect(await c.delivery.get()).toMatchObject({ status: "returned", failedAttempts: 3 });
  expect(await signalsOf(c.store)).toEqual(["deliveryDispatched", "deliveryReturned"]);
  expect((await emittedBy(c.store)).filter((name) => name === "delivery.attempt-failed.v1")).toHaveLength(3);
});

test("a lost parcel stays lost: nothing moves it, no recall brings it back", async () => {
  await using c = await courier();
  await c.delivery.schedule(lines("1 Lost Lane"));
  for (let step = 0; step < 4; step++) await c.delivery.advance();
  expect(await c.delivery.recall()).toMatchObject({ status: "lost" });
  expect(await signalsOf(c.store)).toEqual(["deliveryDispatched", "deliveryLost"]);
  expect(await timersOf(c.store)).toEqual([]);
});

test("a parcel that keeps the limits tells its order that it left, and the workflow what it comes to alone", async () => {
  await using c = await courier();
  const partition = partitionOf("delivery", "ord_1");
  const limit = async (): Promise<number> =>
    (await c.store.timersOf({ type: "delivery", key: "ord_1" })).find(({ name }) => name === "limit")?.dueAt ?? 0;
  await c.delivery.schedule({ ...parcel, tells: "end" });
  const week = await limit();
  await c.delivery.advance();
  expect(Math.round(((await limit()) - week) / 86_400_000)).toBe(30 - 7);
  expect(await c.store.readOutbox("send", [{ partition, after: 0 }], 9)).toMatchObject([
    { name: "parcelLeft", target: "order/ord_1" },
  ]);
  for (let step = 0; step < 2; step++) await c.delivery.advance();
  expect(await signalsOf(c.store)).toEqual(["deliveryDelivered"]);
  expect(await timersOf(c.store)).toEqual([]);
});

test("a parcel whose courier does not come stays, for good; one that nobody has heard of is lost", async () => {
  for (const [steps, status, signal] of [
    [0, "recalled", "deliveryOverdue"],
    [1, "lost", "deliveryLost"],
    [2, "lost", "deliveryLost"],
  ] as const) {
    await using c = await courier();
    await c.delivery.schedule({ ...parcel, tells: "end" });
    for (let step = 0; step < steps; step++) await c.delivery.advance();
    await c.delivery.runOut();
    await c.delivery.advance();
    await c.delivery.runOut();
    expect(await c.delivery.get()).toMatchObject({ status });
    expect([steps, await signalsOf(c.store)]).toEqual([steps, [signal]]);
    expect(await timersOf(c.store)).toEqual([]);
  }
});

test("Delivery.startReturn() brings a delivered parcel back, and tells the workflow that asked", async () => {
  await using c = await courier();
  await c.delivery.schedule(parcel);
  await expect(c.delivery.startReturn({ workflowId: "return-order/ord_1" })).rejects.toMatchObject({
    reason: "not_delivered",
  });
  for (let step = 0; step < 3; step++) await c.delivery.advance();
  for (let times = 0; times < 2; times++)
    expect(await c.delivery.startReturn({ workflowId: "return-order/ord_1" })).toMatchObject({ status: "returning" });
  await c.delivery.advance();
  expect(await c.delivery.get()).toMatchObject({ status: "returned" });
  expect((await outboxOf(c.store)).at(-1)).toMatchObject({ target: "return-order/ord_1" });
});

test("Delivery.changeAddress() is taken until the courier has the parcel", async () => {
  await using c = await courier();
  await c.delivery.schedule(parcel);
  expect(await c.delivery.changeAddress({ address: "Side Street 2" })).toMatchObject({ address: "Side Street 2" });
  await c.delivery.advance();
  await expect(c.delivery.changeAddress({ address: "Too late 3" })).rejects.toMatchObject({
    reason: "already_dispatched",
  });
});

test("with an external courier nothing moves by itself", async () => {
  const store = memory();
  await using troupe = await createTroupe({
    actors: [createDelivery({ step: "1ms", courier: "external" })],
    stores: { default: store },
  });
  await troupe.ref(Delivery, "ord_1").schedule(parcel);
  expect(await timersOf(store)).toEqual([]);
});

test("a parcel is of an order: a key that is none is refused before anything is made of it", async () => {
  await using troupe = await createTroupe({ actors: [Delivery], stores: { default: memory() } });
  const recalled = troupe.ref(Delivery, "\u{e2}\u{8b}R,").recall();
  expect(await recalled.catch((error: TroupeError) => error.code)).toBe("invalid_input");
});
