/**
 * A worker is lost in the middle of every step of the saga, once before the step has done anything and once after all of
 * it: another worker brings each order to the same end, or undoes all of one that was cancelled meanwhile. All orders at once, as
 * it takes the server ten seconds to notice.
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
    ends: { status: "delivered", reason: undefined, onHand: 8, kept: 900 },
  },
  {
    steps: ["rejectOrder"],
    order: { paymentToken: "tok_declined" },
    ends: { status: "rejected", reason: "payment_declined", onHand: 10, kept: 0 },
  },
  {
    steps: ["markShipped", "giveBackStock", "refundPayment", "markReturned"],
    order: { address: "Nobody Home Street 1" },
    ends: { status: "returned", reason: "undeliverable", onHand: 10, kept: 0 },
  },
  {
    steps: ["settleStock", "markLost"],
    order: { address: "1 Lost Lane" },
    ends: { status: "cancelled", reason: "parcel_lost", onHand: 8, kept: 0 },
  },
] as const;

/** As the first of the ways, but the customer cancels before there is another worker. */
const CANCELLED = {
  steps: ["holdStock", "authorizePayment", "confirmStock", "capturePayment", "scheduleDelivery"],
  order: {},
  ends: { status: "cancelled", reason: undefined, onHand: 10, kept: 0 },
} as const;

/** Where the worker of an order is lost. */
interface Loss {
  readonly step: string;
  readonly point: "before" | "after";
  struck: boolean;
}

const losses = new Map<string, Loss>();
let shop: TestShop;
/** Its courier never comes. */
let waiting: TestShop;
beforeAll(async () => {
  shop = await testShop({ activities: losing, cuttable: true });
  waiting = await testShop({ activities: losing, cuttable: true, step: "1h" });
});
afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await waiting?.[Symbol.asyncDispose]();
});

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
  return new Promise(() => undefined);
}

type Way = (typeof WAYS)[number] | typeof CANCELLED;

/** An order for each step of a way, and for each point of it. */
function placedIn(at: TestShop, way: Way) {
  return way.steps.flatMap((step) => (["before", "after"] as const).map((point) => placed(at, step, point, way)));
}

async function placed(at: TestShop, step: string, point: Loss["point"], { order, ends }: Way) {
  const { sku, level } = await at.stock(10);
  const orderId = newId("ord");
  const loss: Loss = { step, point, struck: false };
  losses.set(orderId, loss);
  await at.order(orderId).place(v.parse(PlaceOrder, { customerId: "cus_1", lines: [{ sku, quantity: 2 }], ...order }));
  return { at, orderId, level, loss, ends };
}

test("whichever step the worker is lost in, before or after its effect, the order ends as it would have, or is undone if it was cancelled", async () => {
  const [orders, cancelled] = await Promise.all([
    Promise.all(WAYS.flatMap((way) => placedIn(shop, way))),
    Promise.all(placedIn(waiting, CANCELLED)),
  ]);
  const all = [...orders, ...cancelled];
  await until("every order has lost its worker", async () => all.every(({ loss }) => loss.struck));
  const gone = [shop.cutOff(), waiting.cutOff()];
  for (const { orderId } of cancelled) await waiting.order(orderId).cancel();
  await Promise.all([shop.startWorkers(), waiting.startWorkers()]);
  for (const { at, orderId, level, loss, ends } of all) {
    const { result } = await at.ended(orderId);
    const { onHand, reserved } = (await level()) ?? {};
    const payment = await at.payment(orderId).get();
    const kept = (payment?.captured ?? 0) - (payment?.refunded ?? 0);
    const seen = { ...loss, status: result.status, reason: result.reason, onHand, reserved, kept };
    expect(seen).toEqual({ ...loss, ...ends, reserved: 0 });
    const parcel = (await at.delivery(orderId).get())?.status;
    if (at === waiting) expect({ ...loss, parcel }).not.toEqual({ ...loss, parcel: "scheduled" });
  }
  await Promise.all(gone);
});
