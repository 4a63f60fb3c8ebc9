import { expect, test } from "bun:test";
import { Customer } from "#actors/shop/customer/customer.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { createTroupe, memory, memoryTopics, type TopicItem } from "#runtime";
import { Order } from "./order.ts";

const placed = { amount: 100, paymentToken: "tok_ok" };

test("an order tells `orders` and its own topic of each status once, whatever is repeated or refused", async () => {
  const topics = memoryTopics();
  await using troupe = await createTroupe({ actors: [Order, Customer, Stock], stores: { default: memory() }, topics });
  const following = await topics.subscribe(["orders", "orders/ord_1"]);
  const order = troupe.ref(Order, "ord_1");
  await order.place(placed, { id: "once" });
  await order.place(placed, { id: "once" });
  await order.place(placed).catch(() => undefined);
  await order.markReserved();
  await order.markReserved();
  await order.reject({ reason: "payment_declined" });
  await order.reject({ reason: "payment_declined" });

  const told: unknown[] = [];
  for (let i = 0; i < 6; i++) {
    const item = (await following.next()).value as TopicItem;
    if (item.kind === "message") told.push([item.topic, item.type, item.data]);
  }
  const change = (status: string, reason?: string): unknown[] =>
    ["orders/ord_1", "orders"].map((topic) => [
      topic,
      "order.changed",
      { orderId: "ord_1", status, at: expect.any(String), ...(reason === undefined ? {} : { reason }) },
    ]);
  expect(told).toEqual([...change("placed"), ...change("reserved"), ...change("rejected", "payment_declined")]);
  await troupe.ref(Order, "ord_2").place(placed);
  expect((await following.next()).value).toMatchObject({ topic: "orders", data: { orderId: "ord_2" } });
});
