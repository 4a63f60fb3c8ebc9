import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { sealingCodec } from "#infra/temporal/codec.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, memory, newId, silentLog, type WorkflowStart } from "#runtime";
import { deliverWebhookStart } from "./deliver-webhook/messages.ts";
import { fulfilOrderSignals, fulfilOrderStart } from "./fulfil-order/messages.ts";
import { testShop, type TestShop } from "./fulfil-order/test-shop.ts";
import { lostDeliveries } from "./lost-deliveries.ts";
import { lostOrders } from "./lost-orders.ts";
import { type Sweep, sweepLostRuns } from "./lost-runs.ts";
import { TASK_QUEUES } from "./task-queues.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const WITHIN_MS = 30_000;
let shop: TestShop;
let sweep: Sweep;

beforeAll(async () => {
  shop = await testShop({ step: "1h", codec: sealingCodec([new Uint8Array(32).fill(7)]) });
  sweep = sweepOf(shop);
});
afterAll(async () => {
  await sweep?.stop();
  await shop?.[Symbol.asyncDispose]();
});

function sweepOf({ temporal, queuePrefix, troupe }: TestShop, now?: () => number): Sweep {
  const rules = { fulfilOrder: lostOrders(troupe, now) };
  return sweepLostRuns({ temporal, queuePrefix, rules, log: silentLog, everyMs: 3_600_000 });
}

/** Moves the parcel on until it is delivered. */
async function arrive(orderId: string): Promise<void> {
  for (let steps = 0; (await shop.delivery(orderId).get())?.status !== "delivered"; steps++) {
    if (steps > 5) throw new Error(`The parcel of ${orderId} does not arrive`);
    await shop.delivery(orderId).advance();
  }
}

/** Terminates the run of an order, and sweeps until another one has its place. */
async function terminateAndSweep(orderId: string): Promise<void> {
  const { runId } = await shop.handle(orderId).describe();
  await shop.handle(orderId).terminate("by a person");
  await eventually("there is another run", WITHIN_MS, async () => {
    await sweep.look();
    return (await shop.handle(orderId).describe()).runId !== runId;
  });
}

test("an order whose saga was terminated while it waited for the courier is delivered, paid once", async () => {
  const tea = await shop.stock(5);
  const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
  await shop.scheduled(orderId);
  await terminateAndSweep(orderId);
  await shop.delivery(orderId).advance();
  await shop.reaches(orderId, "shipped");
  await arrive(orderId);
  expect(await shop.ended(orderId)).toMatchObject({
    result: { orderId, status: "delivered" },
    history: ["placed", "reserved", "paid", "shipped", "delivered"],
  });
  expect(await tea.level()).toMatchObject({ onHand: 3, reserved: 0 });
  expect(await shop.payment(orderId).get()).toMatchObject({ status: "captured", amount: 900 });
});

test("what the courier says while the saga is gone becomes a dead letter, and the next run knows of it", async () => {
  const orderId = await shop.place({ amount: 700 });
  await shop.scheduled(orderId);
  const { runId } = await shop.handle(orderId).describe();
  await shop.handle(orderId).terminate("by a person");
  await arrive(orderId);
  await eventually("its signal is kept", WITHIN_MS, async () => {
    const { items } = await shop.troupe.deadLetters.list();
    return items.filter(({ detail }) => detail.includes(`fulfil-order/${orderId} is TERMINATED`)).length === 1;
  });
  await eventually("the order is delivered", WITHIN_MS, async () => {
    await sweep.look();
    return (await shop.order(orderId).get())?.status === "delivered";
  });
  expect((await shop.handle(orderId).describe()).runId).not.toBe(runId);
});

test("a run that is started by the first request again, as after a restore, finds the parcel where it has come to meanwhile", async () => {
  const orderId = await shop.place({ amount: 700 });
  await shop.scheduled(orderId);
  await shop.handle(orderId).terminate("by a person");
  await arrive(orderId);
  await eventually("its signal is kept", WITHIN_MS, async () => {
    const { items } = await shop.troupe.deadLetters.list();
    return items.some(({ detail }) => detail.includes(`fulfil-order/${orderId} is TERMINATED`));
  });
  const { id, type, taskQueue, args } = await firstRequest(orderId);
  await shop.temporal.client.workflow.start(type, {
    workflowId: id,
    taskQueue: shop.queuePrefix + taskQueue,
    args: [...args],
  });
  expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "delivered" });
});

test("an order whose courier did not come while its saga was gone is turned down by the next run", async () => {
  const orderId = await shop.place({ amount: 700 });
  await shop.scheduled(orderId);
  await shop.handle(orderId).terminate("by a person");
  await shop.delivery(orderId).runOut();
  await eventually("the order is rejected", WITHIN_MS, async () => {
    await sweep.look();
    return (await shop.order(orderId).get())?.status === "rejected";
  });
  expect(await shop.order(orderId).get()).toMatchObject({ reason: "dispatch_timed_out" });
  expect(await shop.payment(orderId).get()).toMatchObject({ captured: 700, refunded: 700 });
});

test("an order that was cancelled while its saga was gone ends cancelled, and nothing stays held", async () => {
  const tea = await shop.stock(5);
  const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
  await shop.scheduled(orderId);
  const { runId } = await shop.handle(orderId).describe();
  await shop.handle(orderId).terminate("by a person");
  await shop.order(orderId).cancel();
  await eventually("there is another run", WITHIN_MS, async () => {
    await sweep.look();
    return (await shop.handle(orderId).describe()).runId !== runId;
  });
  await expectUndone(orderId, tea);
});

/** Has a new run take the place of one that was terminated. */
const BEGINS: Readonly<Record<string, (orderId: string) => Promise<void>>> = {
  "by the sweep": async (orderId) => {
    const { runId } = await shop.handle(orderId).describe();
    await eventually("there is another run", WITHIN_MS, async () => {
      await sweep.look();
      return (await shop.handle(orderId).describe()).runId !== runId;
    });
  },
  "by the first request, as after a restore": async (orderId) => {
    const { id, type, taskQueue, args } = await firstRequest(orderId);
    await shop.temporal.client.workflow.signalWithStart(type, {
      workflowId: id,
      taskQueue: shop.queuePrefix + taskQueue,
      args: [...args],
      signal: fulfilOrderSignals.cancel,
      signalArgs: [],
    });
  },
};

test.each(Object.entries(BEGINS))(
  "a run begun %s that hears of the cancel before its first step calls the parcel back that another has sent",
  async (_, begin) => {
    const tea = await shop.stock(5);
    const orderId = await shop.place({ lines: [{ sku: tea.sku, quantity: 2 }] });
    await shop.scheduled(orderId);
    await shop.handle(orderId).terminate("by a person");
    await shop.order(orderId).cancel();
    // What begins while nobody works has its signal in its first task.
    await shop.stopWorkers();
    await begin(orderId);
    await shop.startWorkers();
    await expectUndone(orderId, tea);
  },
);

/** How an order was started when it was placed. */
async function firstRequest(orderId: string): Promise<WorkflowStart> {
  const { lines, total, currency } = (await shop.order(orderId).get()) ?? { lines: [], total: 0, currency: "EUR" };
  const given = { paymentToken: "tok_ok", address: null, customerId: "cus_1", edition: 3 as const };
  return fulfilOrderStart({ orderId, lines, total, currency, ...given });
}

/** Waits for the saga to end, and expects the order cancelled and nothing held: no events reach anybody in this shop. */
async function expectUndone(orderId: string, tea: { level(): Promise<unknown> }): Promise<void> {
  expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "cancelled" });
  expect(await shop.order(orderId).get()).toMatchObject({ status: "cancelled" });
  expect(await tea.level()).toMatchObject({ onHand: 5, reserved: 0 });
  expect(await shop.payment(orderId).get()).toMatchObject({ captured: 900, refunded: 900 });
  expect(await shop.delivery(orderId).get()).toMatchObject({ status: "recalled" });
}

test("an order that has ended is left alone, and one whose steps may be forgotten is shown and not run again", async () => {
  const orderId = await shop.place({ amount: 100 });
  await shop.scheduled(orderId);
  const { runId } = await shop.handle(orderId).describe();
  await shop.handle(orderId).terminate("by a person");
  const later = sweepOf(shop, () => Date.now() + 21 * 3_600_000);
  const letter = await eventually("it is shown", WITHIN_MS, async () => {
    await later.look();
    const { items } = await shop.troupe.deadLetters.list({ reason: "receiver" });
    return items.find(({ key }) => key === `order:${orderId}`);
  });
  await later.stop();
  expect(letter).toMatchObject({ type: "fulfilOrder", detail: expect.stringContaining("is TERMINATED") });
  expect((await shop.handle(orderId).describe()).runId).toBe(runId);
  await shop.troupe.deadLetters.replay(letter.id);
  await eventually("the replay starts it anew", WITHIN_MS, async () => {
    return (await shop.handle(orderId).describe()).runId !== runId;
  });
  await shop.order(orderId).markCancelled(undefined);
  const again = (await shop.handle(orderId).describe()).runId;
  await shop.handle(orderId).terminate("by a person");
  await sweep.look();
  expect((await shop.handle(orderId).describe()).runId).toBe(again);
});

test("a delivery that was terminated starts anew with what it was to deliver; one that was cancelled is a dead letter", async () => {
  await using troupe = await createTroupe({ actors: [Endpoint], stores: { default: memory() } });
  const temporal = temporalConnection({ address: await testServer("temporal") });
  const queuePrefix = `${newId("unserved")}-`;
  const rules = { deliverWebhook: lostDeliveries(troupe) };
  const deliveries = sweepLostRuns({ temporal, queuePrefix, rules, log: silentLog, everyMs: 3_600_000 });
  const input = {
    deliveryId: newId("dlv"),
    webhookId: newId("msg"),
    endpointId: newId("ep"),
    event: { id: newId("evt"), type: "demo.made" },
    retriesMs: [1, 2],
  };
  const { id, type, memo } = deliverWebhookStart(input);
  const handle = await temporal.client.workflow.start(type, {
    workflowId: id,
    taskQueue: queuePrefix + TASK_QUEUES.gateway,
    args: [input],
    memo: { ...memo },
  });
  await handle.terminate("by a person");
  const run = await eventually("there is another run", WITHIN_MS, async () => {
    await deliveries.look();
    const found = await temporal.client.workflow.getHandle(id).describe();
    return found.runId !== handle.firstExecutionRunId && found;
  });
  expect(run).toMatchObject({
    status: { name: "RUNNING" },
    memo: { endpoint: input.endpointId, event: input.event.id },
  });
  await temporal.client.workflow.getHandle(id).terminate();

  const cancelled = { workflowId: id, runId: "r", status: "CANCELLED", input };
  expect(await lostDeliveries(troupe)(cancelled)).toEqual({ kind: "shown" });
  const [letter] = (await troupe.deadLetters.list({ reason: "receiver" })).items;
  expect(letter).toMatchObject({ key: `endpoint:${input.endpointId}`, detail: "The delivery was cancelled" });
  await deliveries.stop();
  await temporal.close();
});
