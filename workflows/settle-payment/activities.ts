import { Payment } from "#actors/shop/payment/payment.ts";
import type { PaymentProvider, ProviderPayment } from "#actors/shop/payment/provider.ts";
import type { Troupe } from "#runtime";
import { actorCalls } from "#workflows/actor-calls.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** What the activities reach the world through. */
export interface PaymentPorts {
  readonly troupe: Pick<Troupe, "ref">;
  readonly provider: PaymentProvider;
}

/** The name of the refund that gives back whatever is left. */
const REST = "rest";

/** Giving money back: the undo of every step of a payment, and of a whole order. */
export function settlePaymentActivities({ troupe, provider }: PaymentPorts) {
  /** Brings our ledger to what the provider's books say: a step may have been done there without our hearing of it. */
  async function record(orderId: string, books: ProviderPayment | null): Promise<void> {
    const call = actorCalls(workflowIds.fulfilOrder(orderId));
    const payment = troupe.ref(Payment, orderId);
    if (books !== null) {
      const { authorizationId, currency, authorized, captured, refunded } = books;
      // A payment that was declined takes no authorization: what is set aside is let go at the provider alone.
      await call.settles(`record-authorized/${authorizationId}`, (once) =>
        payment.recordAuthorization({ amount: authorized, currency, authorizationId }, once),
      );
      const ledger = await payment.get();
      const [taken, back] = [captured - (ledger?.captured ?? 0), refunded - (ledger?.refunded ?? 0)];
      if (taken > 0)
        await call(`record-captured/${captured}`, (once) =>
          payment.capture({ id: `up-to-${captured}`, amount: taken }, once),
        );
      if (back > 0)
        await call(`record-refunded/${refunded}`, (once) =>
          payment.refund({ id: back === captured ? REST : `up-to-${refunded}`, amount: back }, once),
        );
    }
    await call(`record-voided/${books?.authorized ?? 0}`, (once) => payment.void(undefined, once));
  }

  return {
    /**
     * Gives back whatever the provider has of an order: taken money is refunded, set-aside money let go. Right also where
     * nobody knows what was done before. Fails for good with `refund_refused`.
     */
    async refundPayment(orderId: string): Promise<void> {
      await provider.void(orderId);
      const before = await provider.find(orderId);
      const left = before === null ? 0 : before.captured - before.refunded;
      if (left > 0) {
        const outcome = await provider.refund({ key: orderId, id: REST, amount: left });
        if (outcome.kind === "refused")
          actorCalls(workflowIds.fulfilOrder(orderId)).refuse("refund_refused", { reason: outcome.reason });
      }
      await record(orderId, await provider.find(orderId));
    },
  };
}

/** The activities as workflows see them. */
export type SettlePaymentActivities = ReturnType<typeof settlePaymentActivities>;
