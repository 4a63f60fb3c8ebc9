/**
 * A worker is lost in the middle of every step of the saga, once before the step has done anything and once after all of
 * it: another worker brings each order to the same end. All orders at once, as it takes the server ten seconds to
 * notice.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { PlaceOrder } from "#actors/shop/order/messages.ts";
import { newId } from "#runtime";
import type { ShopActivities } from "../shop-activities.ts";
import { testShop, type TestShop, until } from "./test-shop.ts";

setDefaultTimeout(120_000);

/** The steps of each way an order can go, what the order is given for that, and how it ends. */
const WAYS = [
  {
    steps: ["holdStock", "authorizePayment", "confirmStock", "capturePayment", "scheduleDelivery", "completeOrder"],
    order: { address: "Main Street 1" },
    ends: { status: "delivered", onHand: 8, kept: 900 },
  },
  {
    steps: ["rejectOrder"],
    order: { paymentToken: "tok_declined" },
    ends: { status: "rejected", onHand: 10, kept: 0 },
  },
  {
    steps: ["markShipped", "giveBackStock", "refundPayment", "markReturned"],
    order: { address: "Nobody Home Street 1" },
    ends: { status: "returned", onHand: 10, kept: 0 },
  },
  {
    steps: ["settleStock", "markLost"],
    order: { address: "1 Lost Lane" },
    ends: { status: "cancelled", onHand: 8, kept: 0 },
  },
] as const;

/** Where the worker of an order is lost. */
interface Loss {
  readonly step: string;
  readonly point: "before" | "after";
  struck: boolean;
}

/** Rejected once the worker takes nothing any more: what it still has in hand never gets to the server. */
const workerGone = Promise.withResolvers<never>();
const losses = new Map<string, Loss>();
let shop: TestShop;
beforeAll(async () => void (shop = await testShop({ activities: losing })));
afterAll(() => shop?.[Symbol.asyncDispose]());

/** Each order's first run of its step never answers: nobody hears of it any more. */
function losing(real: ShopActivities): ShopActivities {
  const wrapped = Object.entries(real).map(([step, run]) => [
    step,
    async (...args: unknown[]): Promise<unknown> => {
      const [first] = args;
      const orderId = typeof first === "string" ? first : ((first as { orderId?: string }).orderId ?? "");
      const loss = losses.get(orderId);
      const strikes = loss?.step === step && !loss.struck;
      if (strikes && loss.point === "before") return await lost(loss);
      const answer = await (run as (...all: unknown[]) => Promise<unknown>)(...args);
      return strikes ? await lost(loss) : answer;
    },
  ]);
  return Object.fromEntries(wrapped) as ShopActivities;
}

function lost(loss: Loss): Promise<never> {
  loss.struck = true;
  return workerGone.promise;
}

type Way = (typeof WAYS)[number];

async function placed(step: string, point: Loss["point"], { order, ends }: Way) {
  const { sku, level } = await shop.stock(10);
  const orderId = newId("ord");
  const loss: Loss = { step, point, struck: false };
  losses.set(orderId, loss);
  await shop
    .order(orderId)
    .place(v.parse(PlaceOrder, { customerId: "cus_1", lines: [{ sku, quantity: 2 }], ...order }));
  return { orderId, level, loss, ends };
}

test("whichever step the worker is lost in, before or after its effect, the order ends as it would have", async () => {
  const all = WAYS.flatMap((way) =>
    way.steps.flatMap((step) => (["before", "after"] as const).map((point) => placed(step, point, way))),
  );
  const orders = await Promise.all(all);
  await until("every order has lost its worker", async () => orders.every(({ loss }) => loss.struck));
  const stopped = shop.stopWorkers();
  workerGone.reject(new Error("The worker is gone"));
  await stopped;
  await shop.startWorkers();
  for (const { orderId, level, loss, ends } of orders) {
    const { result } = await shop.ended(orderId);
    const { onHand, reserved } = (await level()) ?? {};
    const payment = await shop.payment(orderId).get();
    const kept = (payment?.captured ?? 0) - (payment?.refunded ?? 0);
    const seen = { ...loss, status: result.status, onHand, reserved, kept };
    expect(seen).toEqual({ ...loss, ...ends, reserved: 0 });
  }
});
