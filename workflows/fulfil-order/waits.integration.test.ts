/**
 * The limit of the customer's decision (Saga.F5), waited for to its end: on a server whose clock is turned on by hand. Turned on in the
 * midst of a workflow task it also makes that task run again, as after a worker that died. What the parcel waits for is its own:
 * `delivery.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type TimeSkipping, timeSkippingServer } from "#infra/testing/time-skipping.ts";
import { searchAttributes } from "./messages.ts";
import { testShop, type TestShop, until } from "./test-shop.ts";

// The first test that needs the server may have to download it.
setDefaultTimeout(180_000);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
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
});
