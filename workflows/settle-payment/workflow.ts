import { proxyActivities } from "@temporalio/workflow";
import type { SettlePaymentActivities } from "./activities.ts";

const { refundPayment } = proxyActivities<SettlePaymentActivities>({
  startToCloseTimeout: "10s",
  retry: { initialInterval: "1s", backoffCoefficient: 2, maximumInterval: "1m" },
});

/**
 * Gives back what a payment provider holds for an order that was undone: its "yes" came after the undo, or was lost.
 * Tries for as long as the provider is away. Fails where the provider refuses for good: then somebody has to look.
 */
export async function settlePayment(orderId: string): Promise<void> {
  await refundPayment(orderId);
}
