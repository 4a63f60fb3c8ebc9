/** The limits of the saga's waits (Saga.F5), each waited for to its end, on a server whose clock is turned on by hand. Those of the parcel are its own timers. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Stock } from "#actors/shop/stock/stock.ts";
import { type TimeSkipping, timeSkippingServer } from "#infra/testing/time-skipping.ts";
import { searchAttributes } from "./messages.ts";
import { testShop, type TestShop, until } from "./test-shop.ts";

// The first test that needs the server may have to download it.
setDefaultTimeout(180_000);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** As the app has 30 s: long enough that a busy machine does not pass it by itself. */
const DECIDE_MS = 10 * MINUTE;

const server: TimeSkipping | string = await timeSkippingServer(Object.values(searchAttributes));
if (typeof server === "string") console.error(`skipped, as there is no time-skipping server: ${server}`);

describe.skipIf(typeof server === "string")("the waits of the saga", () => {
  let time: TimeSkipping;
  let shop: TestShop;
  beforeAll(async () => {
    time = server as TimeSkipping;
    shop = await testShop({ address: time.address, step: "1h", decideWithinMs: DECIDE_MS });
  });
  afterAll(async () => {
    await shop?.[Symbol.asyncDispose]();
    await time?.[Symbol.asyncDispose]();
  });

  const decided = (orderId: string) =>
    until(`${orderId} to be asked`, async () => (await shop.order(orderId).get())?.decision !== undefined);
  /** Lets the limit run out that the parcel keeps itself, by a timer of its own; how many days away it was. */
  async function runOut(orderId: string): Promise<number> {
    const { timers } = await shop.troupe.inspect("delivery", orderId);
    const limit = timers.find(({ name }) => name === "limit");
    expect(limit?.send).toBe("runOut");
    await shop.delivery(orderId).runOut();
    return Math.round(((limit?.dueAt ?? 0) - Date.now()) / DAY);
  }
  const statusOf = async (orderId: string) => (await shop.order(orderId).get())?.status;
  /** How the order stands when nine tenths of a wait are over, and what its saga ends with behind it. */
  async function around(orderId: string, limitMs: number) {
    await time.skip(0.9 * limitMs);
    const before = await statusOf(orderId);
    await time.skip(0.2 * limitMs);
    return { before, ...(await shop.ended(orderId)) };
  }

  test("a customer who is asked and says nothing in time is turned down, and the part goes back", async () => {
    const tea = await shop.stock(1);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
    await decided(orderId);
    const { before, result } = await around(orderId, DECIDE_MS);
    expect([before, result]).toEqual(["placed", { orderId, status: "rejected", reason: "out_of_stock" }]);
    expect(await tea.level()).toMatchObject({ onHand: 1, reserved: 0 });
  });

  test("stock that comes while a customer waits is held within 15 s", async () => {
    const tea = await shop.stock(1);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
    await decided(orderId);
    await shop.handle(orderId).executeUpdate("decide", { args: [{ choice: "wait" }] });
    await time.skip(5 * MINUTE);
    expect(await statusOf(orderId)).toBe("placed");
    await shop.troupe.ref(Stock, tea.sku).refill({ quantity: 5 });
    await time.skip(16 * SECOND);
    await shop.scheduled(orderId);
    expect(await tea.level()).toMatchObject({ onHand: 4, reserved: 0 });
  });

  test("a courier who does not come for a week is given up: the money and the pieces go back", async () => {
    const tea = await shop.stock(3);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 1 }] });
    await shop.scheduled(orderId);
    expect(await statusOf(orderId)).toBe("paid");
    expect(await runOut(orderId)).toBe(7);
    expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "rejected", reason: "dispatch_timed_out" });
    expect(await tea.level()).toMatchObject({ onHand: 3, reserved: 0 });
    expect((await shop.payment(orderId).get())?.status).toBe("refunded");
  });

  test("a parcel nobody hears of for a month is lost: the customer is given the money back", async () => {
    const tea = await shop.stock(3);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 1 }] });
    await shop.scheduled(orderId);
    await shop.delivery(orderId).update({ status: "dispatched" });
    await shop.reaches(orderId, "shipped");
    expect(await runOut(orderId)).toBe(30);
    expect((await shop.ended(orderId)).result.reason).toBe("parcel_lost");
    expect((await shop.payment(orderId).get())?.status).toBe("refunded");
    expect(await tea.level()).toMatchObject({ onHand: 2, reserved: 0 });
  });

  test("a return whose parcel does not come within a month leaves the order delivered, and nothing is given back", async () => {
    const tea = await shop.stock(3);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 1 }] });
    await shop.scheduled(orderId);
    await shop.delivery(orderId).update({ status: "dispatched" });
    await shop.delivery(orderId).update({ status: "delivered" });
    await shop.reaches(orderId, "delivered");
    await shop.order(orderId).requestReturn();
    const returning = shop.returning(orderId);
    await until("the return to begin", async () => {
      return (await shop.delivery(orderId).get())?.status.startsWith("return") === true;
    });
    await time.skip(27 * DAY);
    expect((await returning.describe()).status.name).toBe("RUNNING");
    await time.skip(6 * DAY);
    expect(await returning.result()).toEqual({ orderId, status: "delivered" });
    expect((await shop.payment(orderId).get())?.status).toBe("captured");
    expect(await tea.level()).toMatchObject({ onHand: 2, reserved: 0 });
  });
});
