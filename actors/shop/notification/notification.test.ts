import { expect, test } from "bun:test";
import { createTroupe, type Handled, memory, type Source, type SourceSubscription } from "#runtime";
import { Notification } from "./notification.ts";

/** A source that hands its consumer out. */
function handed(): { readonly source: Source; readonly consumer: Promise<SourceSubscription> } {
  const started = Promise.withResolvers<SourceSubscription>();
  const source: Source = {
    name: "handed",
    start(subscription) {
      started.resolve(subscription);
      return { stop: () => Promise.resolve(), lag: () => Promise.resolve(0) };
    },
    check: () => Promise.resolve(),
  };
  return { source, consumer: started.promise };
}

const event = (id: string, type: string, minute: number, customerId: string | null): { readonly body: string } => ({
  body: JSON.stringify({
    specversion: "1.0",
    id,
    source: "/order/ord_1",
    type,
    subject: "ord_1",
    time: `2026-11-21T10:${String(minute).padStart(2, "0")}:00.000Z`,
    data: { orderId: "ord_1", customerId, status: "placed", total: 1, currency: "EUR" },
  }),
});

test("Notification keeps the last fifty notices of a customer, newest first, each once", async () => {
  const { source, consumer } = handed();
  await using troupe = await createTroupe({
    actors: [Notification],
    stores: { default: memory() },
    sources: { default: source },
  });
  const { handle } = await consumer;
  const all: Promise<Handled>[] = [
    handle(event("evt_late", "delivery.dispatched.v1", 59, "cus_1")),
    handle(event("evt_late", "delivery.dispatched.v1", 59, "cus_1")),
    ...Array.from({ length: 55 }, (_, i) => handle(event(`evt_${i}`, "order.placed.v1", i, "cus_1"))),
    handle(event("evt_other", "order.paid.v1", 1, "cus_2")),
    handle(event("evt_nobody", "delivery.scheduled.v1", 1, null)),
  ];
  expect(new Set(await Promise.all(all))).toEqual(new Set(["taken"]));
  const { items } = await troupe.ref(Notification, "cus_1").list();
  expect(items.length).toBe(50);
  expect(items.slice(0, 2)).toMatchObject([
    { id: "evt_late", text: "Your parcel is on its way", orderId: "ord_1" },
    { id: "evt_54", text: "We have your order" },
  ]);
  expect((await troupe.ref(Notification, "cus_2").list()).items.map(({ id }) => id)).toEqual(["evt_other"]);
  expect((await troupe.deadLetters.list()).items).toEqual([]);
});
