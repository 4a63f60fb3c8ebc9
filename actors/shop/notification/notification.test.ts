import { expect, test } from "bun:test";
import {
  createTroupe,
  type Handled,
  memory,
  memoryTopics,
  type Source,
  type SourceSubscription,
  type TopicItem,
} from "#runtime";
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
    source: `/${type.split(".")[0]}/ord_1`,
    type,
    subject: "ord_1",
    time: `2026-11-21T10:${String(minute).padStart(2, "0")}:00.000Z`,
    data: { orderId: "ord_1", customerId, status: "placed", total: 1, currency: "EUR" },
  }),
});

async function customers() {
  const { source, consumer } = handed();
  const topics = memoryTopics();
  const troupe = await createTroupe({
    actors: [Notification],
    stores: { default: memory() },
    sources: { default: source },
    topics,
  });
  const { handle } = await consumer;
  return { troupe, topics, handle, [Symbol.asyncDispose]: () => troupe.stop() };
}

test("Notification keeps what is unread, newest first, each event once, for whom it is", async () => {
  await using s = await customers();
  const all: Promise<Handled>[] = [
    s.handle(event("evt_late", "delivery.dispatched.v1", 59, "cus_1")),
    s.handle(event("evt_late", "delivery.dispatched.v1", 59, "cus_1")),
    ...Array.from({ length: 55 }, (_, i) => s.handle(event(`evt_${i}`, "order.placed.v1", i, "cus_1"))),
    s.handle(event("evt_other", "order.paid.v1", 1, "cus_2")),
    s.handle(event("evt_nobody", "delivery.scheduled.v1", 1, null)),
  ];
  expect(new Set(await Promise.all(all))).toEqual(new Set(["taken"]));
  const { items, unread } = await s.troupe.ref(Notification, "cus_1").list();
  expect([items.length, unread]).toEqual([56, 56]);
  expect(items.slice(0, 2)).toMatchObject([
    { id: "evt_late", text: "Your parcel is on its way", orderId: "ord_1" },
    { id: "evt_54", text: "We have your order" },
  ]);
  expect((await s.troupe.ref(Notification, "cus_2").list()).items.map(({ id }) => id)).toEqual(["evt_other"]);
  expect((await s.troupe.deadLetters.list()).items).toEqual([]);
});

test("Notification.read() lets go of what was read beyond the last fifty, and tells how many are left", async () => {
  await using s = await customers();
  for (let i = 0; i < 60; i++) await s.handle(event(`evt_${i}`, "order.placed.v1", i % 60, "cus_1"));
  const notifications = s.troupe.ref(Notification, "cus_1");
  expect(await notifications.read({ ids: ["evt_0", "evt_59", "unknown"] })).toMatchObject({ unread: 58 });
  expect((await notifications.list()).items).toHaveLength(59); // evt_0 was read, and is older than the last fifty
  const rest = await notifications.read({ ids: "all" });
  expect([rest.unread, rest.items.length]).toEqual([0, 50]);
});

test("Notification tells those who follow the customer, once per event", async () => {
  await using s = await customers();
  const following = await s.topics.subscribe(["notifications/cus_1"]);
  await s.handle(event("evt_1", "order.placed.v1", 1, "cus_1"));
  await s.handle(event("evt_1", "order.placed.v1", 1, "cus_1"));
  await s.troupe.ref(Notification, "cus_1").read({ ids: "all" });
  const first = (await following.next()).value as TopicItem;
  const second = (await following.next()).value as TopicItem;
  expect(first).toMatchObject({ type: "notification.told", data: { id: "evt_1", unread: 1 } });
  expect(second).toMatchObject({ type: "notification.read", data: { ids: "all", unread: 0 } });
});
