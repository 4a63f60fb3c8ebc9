/**
 * The saga as orders ran it that were placed before there were returns, decisions and parked undos. Orders that were open
 * when the second edition came end by it; `histories-first-edition/` holds runs of it. It goes when none can be open any more.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  proxyLocalActivities,
  setHandler,
  TemporalFailure,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { OrderMarked } from "#actors/shop/order/messages.ts";
import {
  cancelOrder,
  deliveryDelivered,
  deliveryDispatched,
  type FulfilOrderProgress,
  getStatus,
} from "../order-doors.ts";
import type { ShopActivities } from "../shop-activities.ts";
import { UndoStack } from "../undo-stack.ts";
import type { StockLine } from "./activities.ts";
import type { FulfilOrder, FulfilOrderResult } from "./messages.ts";
import { searchAttributes } from "./names.ts";

const orderStatus = { name: searchAttributes.orderStatus, type: "KEYWORD" } as const;
const retry = { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "5s" } as const;

// Local activities run inside the workflow task that asks for them: no trip to the server per step. They stay visible by
// name in the history, as markers. A wait longer than the threshold becomes a timer, so that it does not hold the task.
const steps = proxyLocalActivities<ShopActivities>({
  startToCloseTimeout: "10s",
  scheduleToCloseTimeout: "10m",
  localRetryThreshold: "2s",
  retry,
});
const untilDone = proxyLocalActivities<ShopActivities>({
  startToCloseTimeout: "10s",
  localRetryThreshold: "2s",
  retry,
});

/** Fulfils one order. Ends with the order `delivered`, `rejected` or `cancelled`; fails only when cancelled by Temporal. */
export async function firstEdition(order: FulfilOrder): Promise<FulfilOrderResult> {
  const { orderId } = order;
  const undo = new UndoStack();
  const stockLines = order.lines.flatMap(({ sku, quantity }): StockLine[] => (sku === null ? [] : [{ sku, quantity }]));
  let progress: FulfilOrderProgress = { status: "placed", cancelRequested: false, undoing: false };
  let stock: "held" | "unsure" | "confirmed" = "held"; // what the undos may assume of it
  let dispatched = false;
  let delivered = false;
  setHandler(cancelOrder, () => void (progress = { ...progress, cancelRequested: true }));
  setHandler(deliveryDispatched, () => void (dispatched = true));
  setHandler(deliveryDelivered, () => void (dispatched = delivered = true));
  setHandler(getStatus, () => progress);

  const reach = async (step: Promise<OrderMarked>): Promise<void> => {
    const { status, cancelRequested } = await step;
    progress = { ...progress, status, cancelRequested: progress.cancelRequested || cancelRequested };
  };
  const stopIfCancelled = (): void => {
    if (progress.cancelRequested) throw ApplicationFailure.nonRetryable("The order was cancelled", "cancelled");
  };

  try {
    if (order.lines.some(({ price }) => price === null))
      throw ApplicationFailure.nonRetryable("A line has no price", "unknown_sku");
    // Once confirmation was tried, `restockStock` is the undo that knows what became of the hold.
    undo.add("releaseStock", async () => stock === "held" && (await untilDone.releaseStock(orderId, stockLines)));
    await reach(steps.reserveStock(orderId, stockLines));
    stopIfCancelled();
    undo.add("refundPayment", () => untilDone.refundPayment(orderId));
    await steps.authorizePayment({ orderId, amount: order.total, currency: order.currency, token: order.paymentToken });
    stopIfCancelled();
    undo.add("restockStock", async () => stock !== "held" && (await untilDone.restockStock(orderId, stockLines)));
    stock = "unsure";
    await steps.confirmStock(orderId, stockLines);
    stock = "confirmed";
    await reach(steps.capturePayment(orderId));
    stopIfCancelled();
    undo.add("recallDelivery", () => untilDone.recallDelivery(orderId));
    await steps.scheduleDelivery(orderId, order.address, order.customerId);
    await condition(() => dispatched || progress.cancelRequested);
    stopIfCancelled();
    // F2: refused with `cancelled` after an accepted cancel. Its outcome must be known, so nothing cuts it short.
    await CancellationScope.nonCancellable(() => reach(untilDone.markShipped(orderId)));
  } catch (error) {
    return await giveUp(error);
  }
  return await CancellationScope.nonCancellable(async () => {
    await condition(() => delivered);
    await reach(untilDone.markDelivered(orderId));
    return finish();
  });

  /** Undoes what was done and tells the order how it ended. A cancel by Temporal is passed on when all is undone. */
  async function giveUp(error: unknown): Promise<FulfilOrderResult> {
    if (!(error instanceof TemporalFailure)) throw error; // a bug: the task fails and runs again with the mended code
    progress = { ...progress, undoing: true };
    const reason = isCancellation(error) ? "cancelled" : reasonOf(error);
    const undoFailures = (await undo.run()).map((failure) => failure.undo);
    await CancellationScope.nonCancellable(() =>
      reach(reason === "cancelled" ? untilDone.markCancelled(orderId) : untilDone.rejectOrder(orderId, reason)),
    );
    const result = finish();
    if (isCancellation(error)) throw error;
    const why = result.status === "rejected" ? { reason } : {};
    return { ...result, ...why, ...(undoFailures.length > 0 ? { undoFailures } : {}) };
  }

  /** The search attribute changes here only: each change costs the server as much as a step. */
  function finish(): FulfilOrderResult {
    upsertSearchAttributes([{ key: orderStatus, value: progress.status }]);
    return { orderId, status: progress.status };
  }
}

/** The `type` of the failure at the root: an actor's refusal, or the code of what went wrong. */
function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return cause.type ?? "failed";
  return cause instanceof Error && cause.name === "TimeoutFailure" ? "timed_out" : "failed";
}
