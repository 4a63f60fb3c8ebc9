import { Context } from "@temporalio/activity";
import { ApplicationFailure } from "@temporalio/common";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import type { Address, DeliveryStatus } from "#actors/shop/delivery/messages.ts";
import type { Choice, OrderMarked, OrderStatus, PartialLine, UndoFailure } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import { isFinal } from "#actors/shop/order/status.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import type { PaymentProvider } from "#actors/shop/payment/provider.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import type { Troupe } from "#runtime";
import { actorCalls } from "#workflows/actor-calls.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** Pieces of one SKU. */
export interface StockLine {
  readonly sku: string;
  readonly quantity: number;
}

/** What an activity needs to know of the payment. */
export interface PaymentRequest {
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  readonly token: string;
}

/** What came of holding stock. Nothing held at all is a refusal: `out_of_stock`. */
export type StockHeld =
  | {
      readonly kind: "all";
      /** With the reason where the order has ended, by a run or a workflow task before. */
      readonly order: OrderMarked & { readonly reason?: string };
    }
  | {
      readonly kind: "part";
      readonly lines: readonly PartialLine[];
      /** How long the customer has to decide. */
      readonly decideWithinMs: number;
    };

/** What the activities reach the world through. */
export interface FulfilOrderPorts {
  readonly troupe: Pick<Troupe, "ref">;
  readonly provider: PaymentProvider;
  /** How long a customer has to decide when only a part of the stock is there. @default 30_000 */
  readonly decideWithinMs?: number;
}

const DECIDE_WITHIN_MS = 30_000;
/** The name of the one capture of an order. */
const CAPTURE = "capture";

/**
 * The steps of `fulfilOrder` and their undos. Each reaches an actor under a message id made of the order and the step
 * (`fulfil-order/ord_42/reserve/TEA-1`), so that a retried activity never acts twice; the actors know by their own state
 * what was done, so that this holds when the ids are long forgotten.
 *
 * An actor's refusal becomes a failure that is not retried, with the refusal's reason as its `type`.
 *
 * A1 A workflow task that runs again may come to another reason than it did before, and under one message id that would be
 *    refused. So a step that says why has no id: the order takes the first reason, and the second changes nothing.
 */
export function fulfilOrderActivities({ troupe, provider, decideWithinMs = DECIDE_WITHIN_MS }: FulfilOrderPorts) {
  const calls = (orderId: string) => actorCalls(workflowIds.fulfilOrder(orderId));
  const stockOf = ({ sku }: Pick<StockLine, "sku">) => troupe.ref(Stock, sku);
  const orderOf = (orderId: string) => troupe.ref(Order, orderId);

  /**
   * The undo of holding and confirming stock, wherever it stands.
   * @param upTo Statuses of an order for which this is all there is to undo. Where the order has come to another one, nothing is
   *    given back, and that status is the answer: what came later is to be undone before. Default: any.
   */
  async function giveBackStock(
    orderId: string,
    lines: readonly StockLine[],
    upTo?: readonly OrderStatus[] | null,
  ): Promise<OrderStatus | undefined> {
    const call = calls(orderId);
    if (upTo != null) {
      const status = (await call.plain(() => orderOf(orderId).get(undefined, call.patience)))?.status;
      if (status !== undefined && !upTo.includes(status)) return status;
    }
    // Without an id: what it does depends on the stock alone, and a second call has to look again.
    await all(lines, (line) => call.plain(() => stockOf(line).giveBack({ orderId }, call.patience)));
    return undefined;
  }

  return {
    /**
     * Holds as much of every line as there is, and marks the order `reserved` where that is all of it. Repeated, it holds
     * what came in since. Fails with `out_of_stock` where nothing is there of any line, and with `unknown_sku`.
     */
    async holdStock(orderId: string, lines: readonly StockLine[]): Promise<StockHeld> {
      const call = calls(orderId);
      // A workflow task that failed runs its steps again: what an order that has ended once held is not to be held anew.
      const known = await call.plain(() => orderOf(orderId).get(undefined, call.patience));
      if (known !== null && isFinal(known.status)) {
        const { status, cancelRequested, reason } = known;
        return { kind: "all", order: { status, cancelRequested, ...(reason !== undefined && { reason }) } };
      }
      const held: PartialLine[] = [];
      const heldOf = async (line: StockLine, wish: { orderId: string; quantity: number; partial: boolean }) => {
        try {
          return (await call.plain(() => stockOf(line).reserve(wish, call.patience))).held;
        } catch (error) {
          const refusal = error instanceof ApplicationFailure ? error.type : undefined;
          // A saga that was started anew: the one before it had taken the pieces off the shelf already.
          if (refusal === "already_confirmed") return line.quantity;
          // Or had given up: what made it do so says so again, at one of the next steps.
          const gaveUp = refusal === "reservation_released" && known !== null && known.status !== "placed";
          if (gaveUp) return line.quantity;
          throw error;
        }
      };
      await all(lines, async (line) => {
        const wish = { orderId, quantity: line.quantity, partial: true };
        held.push({ sku: line.sku, wanted: line.quantity, held: await heldOf(line, wish) });
      });
      if (held.every((line) => line.held >= line.wanted)) {
        const order = await call("mark-reserved", (once) => orderOf(orderId).markReserved(undefined, once));
        return { kind: "all", order };
      }
      if (held.every((line) => line.held === 0)) call.refuse("out_of_stock", {});
      return { kind: "part", lines: held.toSorted((a, b) => (a.sku < b.sku ? -1 : 1)), decideWithinMs };
    },

    /** Asks the customer whether a part will do. */
    askDecision(orderId: string, lines: readonly PartialLine[], withinMs: number): Promise<OrderMarked> {
      const call = calls(orderId);
      const question = { lines: [...lines], withinMs };
      return call.plain(() => orderOf(orderId).askDecision(question, call.patience)); // Activities.A1
    },

    /** Keeps the customer's answer. */
    recordDecision: (orderId: string, choice: Choice): Promise<OrderMarked> =>
      calls(orderId)(`decide/${choice}`, (once) => orderOf(orderId).decide({ choice }, once)),

    /** Makes an order of the part that is held, marks it `reserved`, and tells what is left to pay. */
    async acceptPart(orderId: string, lines: readonly PartialLine[]): Promise<{ total: number; order: OrderMarked }> {
      const call = calls(orderId);
      const { total } = await call("reduce-lines", (once) => orderOf(orderId).reduceLines([...lines], once));
      return {
        total,
        order: await call("mark-reserved", (once) => orderOf(orderId).markReserved(undefined, once)),
      };
    },

    giveBackStock,

    /** Takes the held pieces off the shelf. */
    async confirmStock(orderId: string, lines: readonly StockLine[]): Promise<void> {
      const call = calls(orderId);
      await all(lines, (line) => call(`confirm/${line.sku}`, (once) => stockOf(line).confirm({ orderId }, once)));
    },

    /** The pieces are with the customer, or lost: their stock forgets the order. */
    async settleStock(orderId: string, lines: readonly StockLine[]): Promise<void> {
      const call = calls(orderId);
      await all(lines, (line) => call(`settle/${line.sku}`, (once) => stockOf(line).settle({ orderId }, once)));
    },

    /** Asks the provider, outside any turn, and has its answer recorded. Fails with `payment_declined` on a no. */
    async authorizePayment({ orderId, amount, currency, token }: PaymentRequest): Promise<void> {
      if (amount === 0) return;
      const call = calls(orderId);
      const { info, cancellationSignal: signal } = Context.current();
      const { attempt } = info;
      const outcome = await provider.authorize({ key: orderId, token, amount, currency, attempt, signal });
      const payment = troupe.ref(Payment, orderId);
      if (outcome.kind === "authorized") {
        const { authorizationId } = outcome;
        const { status } = await call("authorize", (once) =>
          payment.recordAuthorization({ amount, currency, authorizationId }, once),
        );
        if (status !== "voided") return;
        // The undo was faster: the actor has started `settlePayment`, this only spares the customer its wait.
        await provider.void(orderId);
        return call.refuse("payment_voided", {});
      }
      const { declineReason } = outcome;
      await call("decline", (once) => payment.recordDecline({ amount, currency, declineReason }, once));
      call.refuse("payment_declined", { declineReason });
    },

    /** Takes the money, then marks the order `paid`. Fails with `payment_declined` where the provider does not let it. */
    async capturePayment(orderId: string): Promise<OrderMarked> {
      const call = calls(orderId);
      const payment = troupe.ref(Payment, orderId);
      const { amount = 0, currency = "" } = (await call.plain(() => payment.get(undefined, call.patience))) ?? {};
      if (amount > 0) {
        const outcome = await provider.capture({ key: orderId, id: CAPTURE, amount });
        if (outcome.kind === "refused") {
          const decline = { amount, currency, declineReason: outcome.reason };
          await call("capture-declined", (once) => payment.recordDecline(decline, once));
          call.refuse("payment_declined", { declineReason: outcome.reason });
        }
        await call("capture", (once) => payment.capture({ id: CAPTURE, amount }, once));
      }
      return await call("mark-paid", (once) => orderOf(orderId).markPaid(undefined, once));
    },

    /**
     * Hands the parcel to the courier. Answers where it is by now: one that a run before has handed over may be further on.
     * @param tells what the saga hears of the parcel: each step of it, or its end alone.
     */
    async scheduleDelivery(
      orderId: string,
      address: Address | null,
      customerId?: string,
      tells?: "end",
    ): Promise<DeliveryStatus | undefined> {
      const workflowId = workflowIds.fulfilOrder(orderId);
      const whose = customerId == null ? {} : { customerId };
      const parcel = { orderId, address, workflowId, ...whose, ...(tells == null ? {} : { tells }) };
      const delivery = troupe.ref(Delivery, orderId);
      const call = calls(orderId);
      await call("schedule", (once) => delivery.schedule(parcel, once));
      return (await call.plain(() => delivery.get(undefined, call.patience)))?.status;
    },

    /** Takes the parcel back; tells whether there is none to take back, as it was lost. */
    async recallDelivery(orderId: string): Promise<{ lost: boolean }> {
      const { status } = await calls(orderId)("recall", (once) =>
        troupe.ref(Delivery, orderId).recall(undefined, once),
      );
      return { lost: status === "lost" };
    },

    /** Sends order and parcel elsewhere. Refused once the courier has the parcel. */
    async changeAddress(orderId: string, address: Address, scheduled: boolean, change: string): Promise<void> {
      const call = calls(orderId);
      const objection = await call.plain(() => orderOf(orderId).addressObjection({ address }, call.patience));
      if (objection !== null) call.refuse(objection, {});
      // The courier first, as it is the one who may be faster: what it refuses changes nothing.
      if (scheduled)
        await call(`address/${change}/delivery`, (once) =>
          troupe.ref(Delivery, orderId).changeAddress({ address }, once),
        );
      await call(`address/${change}/order`, (once) => orderOf(orderId).changeAddress({ address }, once));
    },

    requestCancel: (orderId: string) =>
      calls(orderId)("cancel", (once) => orderOf(orderId).recordCancel(undefined, once)),

    markShipped: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-shipped", (once) => orderOf(orderId).markShipped(undefined, once)),
    /**
     * The parcel arrived: the order is shipped and delivered, and its stock forgets it. Fails with `cancelled` after a cancel
     * that was accepted before the parcel had left.
     */
    async completeOrder(orderId: string, lines: readonly StockLine[]): Promise<OrderMarked> {
      const call = calls(orderId);
      await call("mark-shipped", (once) => orderOf(orderId).markShipped(undefined, once));
      await all(lines, (line) => call(`settle/${line.sku}`, (once) => stockOf(line).settle({ orderId }, once)));
      return await call("mark-delivered", (once) => orderOf(orderId).markDelivered(undefined, once));
    },
    markDelivered: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-delivered", (once) => orderOf(orderId).markDelivered(undefined, once)),
    markCancelled: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-cancelled", (once) => orderOf(orderId).markCancelled(undefined, once)),
    markLost: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-lost", (once) => orderOf(orderId).markLost(undefined, once)),
    markReturned: (orderId: string, reason: string): Promise<OrderMarked> =>
      calls(orderId)("mark-returned", (once) => orderOf(orderId).markReturned({ reason }, once)),
    /** @param _round as the histories hold it. */
    markNeedsAttention(orderId: string, failures: readonly UndoFailure[], _round: number): Promise<OrderMarked> {
      const call = calls(orderId);
      return call.plain(() => orderOf(orderId).markNeedsAttention([...failures], call.patience)); // Activities.A1
    },
    /** @param recalled whether the parcel was called back, if it had left. */
    rejectOrder(orderId: string, reason: string, recalled?: true): Promise<OrderMarked> {
      const call = calls(orderId);
      const why = { reason, ...(recalled === true && { recalled }) };
      return call.plain(() => orderOf(orderId).reject(why, call.patience)); // Activities.A1
    },

    // Of the first edition, under the names its histories hold.

    /** Holds every line in full, then marks the order `reserved`. All lines settle before the first refusal is heard. */
    async reserveStock(orderId: string, lines: readonly StockLine[]): Promise<OrderMarked> {
      const call = calls(orderId);
      await all(lines, (line) =>
        call(`reserve/${line.sku}`, (once) => stockOf(line).reserve({ orderId, quantity: line.quantity }, once)),
      );
      return await call("mark-reserved", (once) => orderOf(orderId).markReserved(undefined, once));
    },
    releaseStock: giveBackStock,
    restockStock: giveBackStock,
  };
}

/** Runs `task` for each item at once; when one fails, waits for the others before it throws: none is left running. */
async function all<T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(items.map(task));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
