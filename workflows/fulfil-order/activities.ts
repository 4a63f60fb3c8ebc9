import { Context } from "@temporalio/activity";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import type { Address } from "#actors/shop/delivery/messages.ts";
import type { OrderMarked } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
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

/** What the activities reach the world through. */
export interface FulfilOrderPorts {
  readonly troupe: Pick<Troupe, "ref">;
  readonly provider: PaymentProvider;
}

/**
 * The steps of `fulfilOrder` and their undos. Each reaches an actor under a message id made of the order and the step
 * (`fulfil-order/ord_42/reserve/TEA-1`), so that a retried activity never acts twice.
 *
 * An actor's refusal becomes a failure that is not retried, with the refusal's reason as its `type`.
 */
export function fulfilOrderActivities({ troupe, provider }: FulfilOrderPorts) {
  const calls = (orderId: string) => actorCalls(workflowIds.fulfilOrder(orderId));
  const stockOf = ({ sku }: StockLine) => troupe.ref(Stock, sku);

  return {
    /** Holds every line, then marks the order `reserved`. All lines settle before the first refusal is heard. */
    async reserveStock(orderId: string, lines: readonly StockLine[]): Promise<OrderMarked> {
      const call = calls(orderId);
      await all(lines, (line) =>
        call(`reserve/${line.sku}`, (once) => stockOf(line).reserve({ orderId, quantity: line.quantity }, once)),
      );
      return await call("mark-reserved", (once) => troupe.ref(Order, orderId).markReserved(undefined, once));
    },

    async releaseStock(orderId: string, lines: readonly StockLine[]): Promise<void> {
      const call = calls(orderId);
      await all(lines, (line) => call(`release/${line.sku}`, (once) => stockOf(line).release({ orderId }, once)));
    },

    /** Takes the held pieces out of the house. */
    async confirmStock(orderId: string, lines: readonly StockLine[]): Promise<void> {
      const call = calls(orderId);
      await all(lines, (line) => call(`confirm/${line.sku}`, (once) => stockOf(line).confirm({ orderId }, once)));
    },

    /**
     * Puts confirmed lines back. `certain: false` where the outcome of the confirmation is not known: confirming once
     * more under the same id settles it line by line, and what was not confirmed is released.
     */
    async restockStock(orderId: string, lines: readonly StockLine[], certain: boolean): Promise<void> {
      const call = calls(orderId);
      await all(lines, async (line) => {
        const settled =
          certain || (await call.settles(`confirm/${line.sku}`, (once) => stockOf(line).confirm({ orderId }, once)));
        if (settled)
          await call(`restock/${line.sku}`, (once) =>
            stockOf(line).restock({ orderId, quantity: line.quantity }, once),
          );
        else await call(`release/${line.sku}`, (once) => stockOf(line).release({ orderId }, once));
      });
    },

    /** Asks the provider, outside any turn, and has its answer recorded. Fails with `payment_declined` on a no. */
    async authorizePayment({ orderId, amount, currency, token }: PaymentRequest): Promise<void> {
      const call = calls(orderId);
      const { info, cancellationSignal: signal } = Context.current();
      const outcome = await provider.authorize({
        token,
        amount,
        currency,
        idempotencyKey: orderId,
        attempt: info.attempt,
        signal,
      });
      const payment = troupe.ref(Payment, orderId);
      if (outcome.kind === "authorized") {
        const { authorizationId } = outcome;
        await call("authorize", (once) => payment.recordAuthorization({ amount, currency, authorizationId }, once));
      } else {
        const { declineReason } = outcome;
        await call("decline", (once) => payment.recordDecline({ amount, currency, declineReason }, once));
        call.refuse("payment_declined", { declineReason });
      }
    },

    /** Takes the money, then marks the order `paid`. */
    async capturePayment(orderId: string): Promise<OrderMarked> {
      const call = calls(orderId);
      await provider.capture(orderId);
      await call("capture", (once) => troupe.ref(Payment, orderId).capture(undefined, once));
      return await call("mark-paid", (once) => troupe.ref(Order, orderId).markPaid(undefined, once));
    },

    /** Gives back what was set aside or taken, also where nobody knows whether anything was. */
    async refundPayment(orderId: string): Promise<void> {
      await provider.giveBack(orderId);
      await calls(orderId)("refund", (once) => troupe.ref(Payment, orderId).refund(undefined, once));
    },

    async scheduleDelivery(orderId: string, address: Address | null, customerId?: string): Promise<void> {
      const workflowId = workflowIds.fulfilOrder(orderId);
      const parcel = { orderId, address, workflowId, ...(customerId == null ? {} : { customerId }) };
      await calls(orderId)("schedule", (once) => troupe.ref(Delivery, orderId).schedule(parcel, once));
    },

    async recallDelivery(orderId: string): Promise<void> {
      await calls(orderId)("recall", (once) => troupe.ref(Delivery, orderId).recall(undefined, once));
    },

    markShipped: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-shipped", (once) => troupe.ref(Order, orderId).markShipped(undefined, once)),
    markDelivered: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-delivered", (once) => troupe.ref(Order, orderId).markDelivered(undefined, once)),
    markCancelled: (orderId: string): Promise<OrderMarked> =>
      calls(orderId)("mark-cancelled", (once) => troupe.ref(Order, orderId).markCancelled(undefined, once)),
    rejectOrder: (orderId: string, reason: string): Promise<OrderMarked> =>
      calls(orderId)("reject", (once) => troupe.ref(Order, orderId).reject({ reason }, once)),
  };
}

/** The activities as the workflow sees them. */
export type FulfilOrderActivities = ReturnType<typeof fulfilOrderActivities>;

/** Runs `task` for each item at once; when one fails, waits for the others before it throws: none is left running. */
async function all<T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(items.map(task));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
