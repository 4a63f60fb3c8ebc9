/**
 * The saga against real actors and a real Temporal server.
 *
 * `RECORD_HISTORIES=1 bun test workflows/fulfil-order` saves the histories of these runs for `replay.test.ts`. Do that
 * when the workflow has changed on purpose, and keep the old files while runs of the old code may still be open.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CancelledFailure, WorkflowFailedError } from "@temporalio/client";
import { describeRun } from "../describe-run.ts";
import { saveHistory, stepsOf } from "./histories.ts";
import { testShop, type TestShop, until } from "./test-shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

async function record(shop: TestShop, name: string, orderId: string): Promise<void> {
  if (process.env["RECORD_HISTORIES"]) await saveHistory(name, await shop.handle(orderId).fetchHistory());
}

for (const [mode, options] of [
  ["with cached workflows", {}],
  ["without a workflow cache", { maxCachedWorkflows: 0 }],
] as const) {
  describe(`fulfilOrder ${mode}`, () => {
    let shop: TestShop;
    beforeAll(async () => void (shop = await testShop(options)));
    afterAll(() => shop[Symbol.asyncDispose]());

    test("delivers an order that nothing stands against", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }], address: "Main Street 1" });
      expect(await shop.ended(orderId)).toEqual({
        result: { orderId, status: "delivered" },
        history: ["placed", "reserved", "paid", "shipped", "delivered"],
      });
      expect(await tea.level()).toMatchObject({ onHand: 8, reserved: 0 });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "captured", amount: 900 });
      expect(await shop.delivery(orderId).get()).toMatchObject({ status: "delivered", address: "Main Street 1" });
      await record(shop, "delivered", orderId);
    });

    test("delivers an order of an amount alone without touching any stock", async () => {
      const orderId = await shop.place({ amount: 1250 });
      expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "delivered" });
    });

    test("gives the stock back when the payment is declined", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }], paymentToken: "tok_declined" });
      expect(await shop.ended(orderId)).toEqual({
        result: { orderId, status: "rejected", reason: "payment_declined" },
        history: ["placed", "reserved", "rejected"],
      });
      expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "declined" });
      await record(shop, "payment-declined", orderId);
    });

    test("gives the first line back when the second is out of stock", async () => {
      const [tea, rare] = [await shop.stock(10), await shop.stock(1)];
      const orderId = await shop.place({
        lines: [
          { sku: tea.sku, quantity: 2 },
          { sku: rare.sku, quantity: 2 },
        ],
      });
      expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "rejected", reason: "out_of_stock" });
      expect([await tea.level(), await rare.level()]).toMatchObject([
        { onHand: 10, reserved: 0 },
        { onHand: 1, reserved: 0 },
      ]);
      expect(await shop.payment(orderId).get()).toBeNull();
      await record(shop, "out-of-stock", orderId);
    });

    test("turns an order of an unknown SKU down", async () => {
      const orderId = await shop.place({ lines: [{ sku: "NO-SUCH", quantity: 1 }] });
      expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "rejected", reason: "unknown_sku" });
      await record(shop, "unknown-sku", orderId);
    });

    test("asks a payment provider that cannot be reached again, and charges once", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 1 }], paymentToken: "tok_flaky" });
      expect((await shop.ended(orderId)).result.status).toBe("delivered");
      await record(shop, "flaky-payment", orderId);
    });
  });
}

describe("fulfilOrder while the parcel waits for the courier", () => {
  let shop: TestShop;
  beforeAll(async () => void (shop = await testShop({ step: "1h" })));
  afterAll(() => shop[Symbol.asyncDispose]());

  async function scheduledOrder() {
    const tea = await shop.stock(10);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
    await shop.scheduled(orderId);
    return { tea, orderId };
  }

  async function expectUndone({ tea, orderId }: Awaited<ReturnType<typeof scheduledOrder>>): Promise<void> {
    expect(await shop.order(orderId).get()).toMatchObject({ status: "cancelled" });
    expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
    expect(await shop.payment(orderId).get()).toMatchObject({ status: "refunded" });
    expect(await shop.delivery(orderId).get()).toMatchObject({ status: "recalled" });
  }

  test("undoes everything when the order is cancelled", async () => {
    const placed = await scheduledOrder();
    await shop.order(placed.orderId).cancel();
    expect(await shop.ended(placed.orderId)).toEqual({
      result: { orderId: placed.orderId, status: "cancelled" },
      history: ["placed", "reserved", "paid", "cancelled"],
    });
    await expectUndone(placed);
    await record(shop, "cancelled", placed.orderId);
  });

  test("calls the parcel back when the cancel was accepted before the dispatch was heard of", async () => {
    const placed = await scheduledOrder();
    await shop.stopWorkers();
    await shop.delivery(placed.orderId).advance();
    await shop.order(placed.orderId).cancel();
    await shop.startWorkers();
    expect((await shop.ended(placed.orderId)).result.status).toBe("cancelled");
    await expectUndone(placed);
    await record(shop, "cancelled-while-dispatched", placed.orderId);
  });

  test("undoes everything when the workflow is cancelled in Temporal, and ends cancelled there", async () => {
    const placed = await scheduledOrder();
    await shop.handle(placed.orderId).cancel();
    const failure = await shop.ended(placed.orderId).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect((failure as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    await expectUndone(placed);
    await record(shop, "cancelled-in-temporal", placed.orderId);
  });

  test("refuses a cancel once shipped, and a cancel in Temporal then changes nothing", async () => {
    const { orderId } = await scheduledOrder();
    await shop.delivery(orderId).advance();
    await shop.reaches(orderId, "shipped");
    await expect(shop.order(orderId).cancel()).rejects.toMatchObject({ reason: "already_shipped" });
    await shop.handle(orderId).cancel();
    await shop.delivery(orderId).advance();
    expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "delivered" });
    await record(shop, "cancel-after-shipping", orderId);
  });

  test("goes on where it was after the worker was restarted", async () => {
    const { tea, orderId } = await scheduledOrder();
    await shop.stopWorkers();
    await shop.delivery(orderId).advance();
    await shop.startWorkers();
    await shop.reaches(orderId, "shipped");
    expect(await shop.handle(orderId).query<{ status: string }>("getStatus")).toMatchObject({
      status: "shipped",
      undoing: false,
    });
    await shop.delivery(orderId).advance();
    expect((await shop.ended(orderId)).history).toEqual(["placed", "reserved", "paid", "shipped", "delivered"]);
    expect(await tea.level()).toMatchObject({ onHand: 8, reserved: 0 });
  });

  test("shows its steps by name in the history, and its order by search attribute", async () => {
    const { orderId } = await scheduledOrder();
    // The markers come with the end of the workflow task.
    await until(
      "five steps in the history",
      async () => stepsOf(await shop.handle(orderId).fetchHistory()).length === 5,
    );
    const steps = ["reserveStock", "authorizePayment", "confirmStock", "capturePayment", "scheduleDelivery"];
    expect(stepsOf(await shop.handle(orderId).fetchHistory())).toEqual(steps);
    const { searchAttributes } = await describeRun(shop.temporal, `fulfil-order/${orderId}`);
    expect(searchAttributes).toMatchObject({ OrderId: orderId, OrderStatus: "placed" });
    await shop.order(orderId).cancel();
    await shop.ended(orderId);
    expect((await describeRun(shop.temporal, `fulfil-order/${orderId}`)).searchAttributes).toMatchObject({
      OrderStatus: "cancelled",
    });
  });
});
