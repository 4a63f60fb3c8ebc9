/**
 * The saga against real actors and a real Temporal server.
 *
 * `RECORD_HISTORIES=1 bun test workflows/fulfil-order` saves the histories of these runs for `replay.test.ts`. Do that
 * when the workflow has changed on purpose, and keep the old files while runs of the old code may still be open.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CancelledFailure, WorkflowFailedError, WorkflowUpdateFailedError } from "@temporalio/client";
import { rejectionOf } from "#infra/testing/rejection-of.ts";
import { describeRun } from "../describe-run.ts";
import type { ShopActivities } from "../shop-activities.ts";
import { costOf, saveHistory, stepsOf } from "./histories.ts";
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
      const cost = costOf(await shop.handle(orderId).fetchHistory());
      expect(cost.events).toBeLessThanOrEqual(9);
      expect([cost.tasks <= 3, cost.timers, cost.activities]).toEqual([true, 0, 0]);
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
      expect(await shop.order(orderId).get()).toMatchObject({ decision: { choice: null } });
      expect([await tea.level(), await rare.level()]).toMatchObject([
        { onHand: 10, reserved: 0 },
        { onHand: 1, reserved: 0 },
      ]);
      expect(await shop.payment(orderId).get()).toBeNull();
      await record(shop, "out-of-stock", orderId);
    });

    test("turns an order down at once where nothing of it is there, without a question", async () => {
      const rare = await shop.stock(0);
      const orderId = await shop.place({ lines: [{ sku: rare.sku, quantity: 2 }] });
      expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "rejected", reason: "out_of_stock" });
      expect((await shop.order(orderId).get())?.decision).toBeUndefined();
    });

    test("gives stock and authorization back when the money cannot be taken", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }], paymentToken: "tok_capture_refused" });
      expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "rejected", reason: "payment_declined" });
      expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
      expect(await shop.provider.find(orderId)).toMatchObject({ authorized: 900, captured: 0, voided: 900 });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "declined", voided: 900 });
    });

    test("gives the money back when the parcel is lost, and ends the order cancelled", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }], address: "1 Lost Lane" });
      expect(await shop.ended(orderId)).toEqual({
        result: { orderId, status: "cancelled", reason: "parcel_lost" },
        history: ["placed", "reserved", "paid", "shipped", "cancelled"],
      });
      expect(await tea.level()).toMatchObject({ onHand: 8, reserved: 0 });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "refunded", refunded: 900 });
      await record(shop, "parcel-lost", orderId);
    });

    test("takes a parcel back that nobody takes: pieces on the shelf, money back, order returned", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }], address: "Nobody Home Street 1" });
      expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "returned", reason: "undeliverable" });
      expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "refunded" });
      await record(shop, "undeliverable", orderId);
    });

    test("parks a refund that is refused: shown, retried on request, and only then over", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({
        lines: [{ sku: tea.sku, quantity: 2 }],
        address: "1 Lost Lane",
        paymentToken: "tok_refund_refused",
      });
      await shop.reaches(orderId, "needs_attention");
      const failures = [{ undo: "refundPayment", reason: "refund_refused" }];
      expect(await shop.order(orderId).get()).toMatchObject({ undoFailures: failures });
      await until("the saga shows what is parked", async () => {
        const progress = await shop.handle(orderId).query<{ undoFailures?: unknown }>("getStatus");
        return JSON.stringify(progress.undoFailures) === JSON.stringify(failures);
      });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "captured" });
      await shop.handle(orderId).executeUpdate("retryUndo");
      expect((await shop.ended(orderId)).history.slice(-2)).toEqual(["needs_attention", "cancelled"]);
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "refunded", refunded: 900 });
      expect((await shop.order(orderId).get())?.undoFailures).toBeUndefined();
      await record(shop, "undo-parked", orderId);
    });

    test("brings a delivered order back: parcel, pieces, money", async () => {
      const tea = await shop.stock(10);
      const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
      await shop.reaches(orderId, "delivered");
      await shop.order(orderId).requestReturn();
      await shop.reaches(orderId, "returned");
      expect(await shop.order(orderId).get()).toMatchObject({ reason: "customer_return" });
      expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "refunded", refunded: 900 });
      expect(await shop.delivery(orderId).get()).toMatchObject({ status: "returned" });
      await until(
        "the return has ended",
        async () => (await shop.returning(orderId).describe()).closeTime !== undefined,
      );
      if (process.env["RECORD_HISTORIES"])
        await saveHistory("../../return-order/histories/returned", await shop.returning(orderId).fetchHistory());
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

  test("calls a parcel back that left after the cancel was accepted, wherever it has come to meanwhile", async () => {
    const [placed, arrived] = [await scheduledOrder(), await scheduledOrder()];
    await shop.stopWorkers();
    for (const { orderId } of [placed, arrived]) await shop.order(orderId).cancel();
    await shop.delivery(placed.orderId).advance();
    for (let step = 0; step < 3; step++) await shop.delivery(arrived.orderId).advance();
    await shop.startWorkers();
    expect((await shop.ended(arrived.orderId)).history).toEqual(["placed", "reserved", "paid", "cancelled"]);
    await expectUndone(arrived);
    expect((await shop.ended(placed.orderId)).result.status).toBe("cancelled");
    await expectUndone(placed);
    await record(shop, "cancelled-while-dispatched", placed.orderId);
  });

  test("undoes an order whose cancel only the order has heard of when the parcel arrives", async () => {
    const placed = await scheduledOrder();
    await shop.order(placed.orderId).recordCancel();
    for (let step = 0; step < 3; step++) await shop.delivery(placed.orderId).advance();
    expect((await shop.ended(placed.orderId)).result.status).toBe("cancelled");
    await expectUndone(placed);
    await record(shop, "cancel-unheard", placed.orderId);
  });

  test("turns an order down whose courier has not come, and one is lost whose parcel nobody has heard of", async () => {
    const [waiting, gone] = [await scheduledOrder(), await scheduledOrder()];
    await shop.delivery(waiting.orderId).runOut();
    await shop.delivery(gone.orderId).advance();
    await shop.delivery(gone.orderId).runOut();
    expect((await shop.ended(waiting.orderId)).result).toMatchObject({
      status: "rejected",
      reason: "dispatch_timed_out",
    });
    expect(await waiting.tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
    expect((await shop.ended(gone.orderId)).result).toMatchObject({ status: "cancelled", reason: "parcel_lost" });
    expect(await gone.tea.level()).toMatchObject({ onHand: 8, reserved: 0 });
    for (const { orderId } of [waiting, gone])
      expect(await shop.payment(orderId).get()).toMatchObject({ status: "refunded" });
    await record(shop, "dispatch-timed-out", waiting.orderId);
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

  test("undoes everything when the cancel comes as an update, and refuses one once shipped", async () => {
    const placed = await scheduledOrder();
    const accepted = await shop.handle(placed.orderId).executeUpdate("cancelOrder");
    expect(accepted).toMatchObject({ orderId: placed.orderId, cancelRequested: true });
    expect((await shop.ended(placed.orderId)).result.status).toBe("cancelled");
    await expectUndone(placed);

    const { orderId } = await scheduledOrder();
    await shop.delivery(orderId).advance();
    await shop.reaches(orderId, "shipped");
    for (const update of ["cancelOrder", "changeAddress"]) {
      const refused = await shop
        .handle(orderId)
        .executeUpdate<unknown, [unknown]>(update, { args: [{ address: "Too late 3" }] })
        .catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
      expect((refused as WorkflowUpdateFailedError).cause).toMatchObject({ type: "already_shipped" });
    }
    await shop.delivery(orderId).advance();
    await shop.delivery(orderId).advance();
    expect((await shop.ended(orderId)).result.status).toBe("delivered");
  });

  test("sends order and parcel elsewhere until the courier has it, and refuses what is no address", async () => {
    const { orderId } = await scheduledOrder();
    const handle = shop.handle(orderId);
    await handle.executeUpdate("changeAddress", { args: [{ address: "Side Street 2" }] });
    expect(await shop.order(orderId).get()).toMatchObject({ address: "Side Street 2" });
    expect(await shop.delivery(orderId).get()).toMatchObject({ address: "Side Street 2" });
    for (const wrong of [{ address: 7 }, { address: { country: "FR" } }])
      expect(
        await rejectionOf(handle.executeUpdate<unknown, [unknown]>("changeAddress", { args: [wrong] })),
      ).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(await shop.delivery(orderId).get()).toMatchObject({ address: "Side Street 2" });
    await shop.order(orderId).cancel();
    expect((await shop.ended(orderId)).result.status).toBe("cancelled");
  });

  test("refuses a cancel once shipped, and a cancel in Temporal then changes nothing", async () => {
    const { orderId } = await scheduledOrder();
    await shop.delivery(orderId).advance();
    await shop.reaches(orderId, "shipped");
    expect(await rejectionOf(shop.order(orderId).cancel())).toMatchObject({ reason: "already_shipped" });
    await shop.handle(orderId).cancel();
    await shop.delivery(orderId).advance();
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
    // The saga hears of the parcel's end alone.
    expect(await shop.handle(orderId).query<{ status: string }>("getStatus")).toMatchObject({
      status: "paid",
      undoing: false,
    });
    await shop.delivery(orderId).advance();
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
    const steps = ["holdStock", "authorizePayment", "confirmStock", "capturePayment", "scheduleDelivery"];
    expect(stepsOf(await shop.handle(orderId).fetchHistory())).toEqual(steps);
    const { searchAttributes } = await describeRun(shop.temporal, `fulfil-order/${orderId}`);
    expect(searchAttributes).toMatchObject({ OrderId: orderId });
    expect(searchAttributes).not.toHaveProperty("OrderStatus");
    await shop.order(orderId).cancel();
    await shop.ended(orderId);
    expect((await describeRun(shop.temporal, `fulfil-order/${orderId}`)).searchAttributes).toMatchObject({
      OrderStatus: "cancelled",
    });
  });
});

describe("fulfilOrder when only a part of the stock is there", () => {
  let shop: TestShop;
  beforeAll(async () => void (shop = await testShop({ decideWithinMs: 20_000 })));
  afterAll(() => shop[Symbol.asyncDispose]());

  /** An order of two lines: all of the first is there, one of two pieces of the second. */
  async function asked() {
    const [tea, rare] = [await shop.stock(10), await shop.stock(1)];
    const orderId = await shop.place({
      lines: [
        { sku: tea.sku, quantity: 2 },
        { sku: rare.sku, quantity: 2 },
      ],
    });
    await until("the customer to be asked", async () => (await shop.order(orderId).get())?.decision !== undefined);
    return { tea, rare, orderId, decide: (choice: string) => decide(orderId, choice) };
  }
  const decide = (orderId: string, choice: string) =>
    shop.handle(orderId).executeUpdate("decide", { args: [{ choice }] });

  test("delivers the part the customer accepts, and charges for that part alone", async () => {
    const { tea, rare, orderId, decide: answer } = await asked();
    expect(await shop.order(orderId).get()).toMatchObject({
      status: "placed",
      decision: { choice: null, lines: expect.arrayContaining([{ sku: rare.sku, wanted: 2, held: 1 }]) },
    });
    await answer("accept");
    expect((await shop.ended(orderId)).result.status).toBe("delivered");
    expect(await shop.order(orderId).get()).toMatchObject({ total: 1_350, decision: { choice: "accept" } });
    expect(await shop.payment(orderId).get()).toMatchObject({ captured: 1_350 });
    expect([await tea.level(), await rare.level()]).toMatchObject([{ onHand: 8 }, { onHand: 0, reserved: 0 }]);
    await record(shop, "part-accepted", orderId);
  });

  test("waits where the customer waits, and still takes a cancel", async () => {
    const { tea, rare, orderId, decide: answer } = await asked();
    await answer("wait");
    expect(await rare.level()).toMatchObject({ reserved: 1 });
    await answer("cancel");
    expect((await shop.ended(orderId)).result.status).toBe("cancelled");
    expect([await tea.level(), await rare.level()]).toMatchObject([
      { onHand: 10, reserved: 0 },
      { onHand: 1, reserved: 0 },
    ]);
    await record(shop, "waited-then-cancelled", orderId);
  });

  test("refuses an answer nobody asked for, and one that is none", async () => {
    const { orderId, decide: answer } = await asked();
    expect(await rejectionOf(answer("perhaps"))).toBeInstanceOf(WorkflowUpdateFailedError);
    await answer("cancel");
    await shop.ended(orderId);
    const whole = await shop.place({ lines: [{ sku: (await shop.stock(1)).sku, quantity: 1 }] });
    await rejectionOf(decide(whole, "accept"));
    await shop.ended(whole);
  });
});

test("a yes of the provider that comes after the undo is given back", async () => {
  const answer = Promise.withResolvers<void>();
  await using shop = await testShop({
    // A provider that thinks for long, and does not hear that nobody waits any more.
    provider: (sandbox) => ({
      ...sandbox,
      authorize: async (request) => {
        await answer.promise;
        return await sandbox.authorize(request);
      },
    }),
  });
  const tea = await shop.stock(10);
  const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 1 }] });
  await shop.reaches(orderId, "reserved");
  await shop.handle(orderId).cancel();
  const failure = await shop.ended(orderId).catch((error: unknown) => error);
  expect((failure as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(await shop.order(orderId).get()).toMatchObject({ status: "cancelled" });
  expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
  answer.resolve();
  await until("the money is given back", async () => (await shop.provider.find(orderId))?.voided === 450);
  await until("the ledger is closed", async () => (await shop.payment(orderId).get())?.voided === 450);
  expect(await shop.payment(orderId).get()).toMatchObject({ status: "voided", captured: 0 });
});

test("a cancel in Temporal that meets the courier ends one way: undone, or delivered", async () => {
  await using shop = await testShop({ step: "1ms" });
  const tea = await shop.stock(100);
  const orders = await Promise.all(
    Array.from({ length: 12 }, () => shop.place({ lines: [{ sku: tea.sku, quantity: 1 }] })),
  );
  await Promise.all(
    orders.map(async (orderId) => {
      await shop.reaches(orderId, "paid");
      await shop.handle(orderId).cancel();
    }),
  );
  let delivered = 0;
  for (const orderId of orders) {
    await shop.ended(orderId).catch(() => undefined);
    const { status } = (await shop.order(orderId).get()) ?? {};
    if (status === "delivered") delivered++;
    const money = status === "delivered" ? { captured: 450, refunded: 0 } : { captured: 450, refunded: 450 };
    expect(["delivered", "cancelled"]).toContain(status ?? "none");
    expect(await shop.provider.find(orderId)).toMatchObject(money);
  }
  expect(await tea.level()).toMatchObject({ onHand: 100 - delivered, reserved: 0 });
});

const STEPS = [
  "holdStock",
  "authorizePayment",
  "confirmStock",
  "capturePayment",
  "scheduleDelivery",
  "completeOrder",
] as const;
const UNDOS = ["recallDelivery", "refundPayment", "giveBackStock", "markCancelled"] as const;

/** Activities whose named one fails on its first call for each order: before its effect, or after it. */
function failingOnce(step: string, when: "before" | "after") {
  const failed = new Set<unknown>();
  return (real: ShopActivities): ShopActivities => {
    const act = (real as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[step];
    const failing = async (...args: unknown[]): Promise<unknown> => {
      const orderId = typeof args[0] === "string" ? args[0] : (args[0] as { orderId: string }).orderId;
      const first = !failed.has(orderId);
      failed.add(orderId);
      if (first && when === "before") throw new Error(`Cut off before ${step}`);
      const result = await act?.(...args);
      if (first) throw new Error(`Cut off after ${step}`);
      return result;
    };
    return { ...real, [step]: failing };
  };
}

for (const when of ["before", "after"] as const) {
  test(`each step cut off ${when} its effect is done once: same verdict`, async () => {
    await Promise.all(
      STEPS.map(async (step) => {
        await using shop = await testShop({ activities: failingOnce(step, when) });
        const tea = await shop.stock(10);
        const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
        expect([step, (await shop.ended(orderId)).result.status]).toEqual([step, "delivered"]);
        expect(await tea.level()).toMatchObject({ onHand: 8, reserved: 0 });
        expect(await shop.payment(orderId).get()).toMatchObject({ captured: 900, refunded: 0, voided: 0 });
      }),
    );
  });

  test(`each undo cut off ${when} its effect is done once: same verdict`, async () => {
    await Promise.all(
      UNDOS.map(async (step) => {
        await using shop = await testShop({ step: "1h", activities: failingOnce(step, when) });
        const tea = await shop.stock(10);
        const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
        await shop.scheduled(orderId);
        await shop.order(orderId).cancel();
        expect([step, (await shop.ended(orderId)).result.status]).toEqual([step, "cancelled"]);
        expect(await tea.level()).toMatchObject({ onHand: 10, reserved: 0 });
        expect(await shop.provider.find(orderId)).toMatchObject({ captured: 900, refunded: 900 });
        expect(await shop.payment(orderId).get()).toMatchObject({ captured: 900, refunded: 900 });
      }),
    );
  });
}
