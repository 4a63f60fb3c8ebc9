/**
 * The saga of one order: hold stock, authorize, confirm, capture, deliver; or undo all of it.
 *
 * F1 Each undo is registered before its step (see `UndoStack`), runs shielded from cancellation, and is parked when it is
 *    refused for good (see `ParkedUndo`): the order is `needs_attention` until somebody has had it tried again.
 * F2 The order actor decides between cancel and ship. The parcel tells it itself that it has left, which is the point of no
 *    return. Before it a cancel, by update, signal or Temporal, undoes everything; after it all are refused or ignored.
 * F3 A refusal turns the order down with the refusal's reason. An outage turns nothing down: steps are tried for ten
 *    minutes, and what comes after the point of no return for ever.
 * F4 What was decided once holds, although a workflow task that fails runs its steps again with more in its history: who
 *    cancelled or shipped is kept by the order actor, a mark that finds the order ended undoes what came after, and a run that
 *    gives up earlier than the one before it undoes what that one did (see `OrderUndo`).
 * F5 Each wait has its limit: a decision 30 s, stock that is waited for a day. The courier's week and the month of the way
 *    are the parcel's to keep: what it comes to, also by its time running out, is what the saga hears.
 * F6 The server pays for each event of a history and more for each workflow task. An order that nothing stands against takes
 *    two tasks: up to the parcel, and from its arrival.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  TemporalFailure,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { OrderMarked } from "#actors/shop/order/messages.ts";
import {
  cancelOrder,
  changeAddress,
  decide,
  deliveryDelivered,
  deliveryDispatched,
  deliveryLost,
  deliveryOverdue,
  deliveryReturned,
  type FulfilOrderProgress,
  getStatus,
  orderStatus,
  requestCancel,
  retryUndo,
  type UpdateAnswer,
} from "../order-doors.ts";
import { ParcelWatch } from "../parcel-watch.ts";
import { ParkedUndo, refuseRetry } from "../parked-undo.ts";
import { steps, undos, untilDone } from "../shop-steps.ts";
import { failureReason, UndoStack } from "../undo-stack.ts";
import type { StockLine } from "./activities.ts";
import { Decision } from "./decision.ts";
import type { FulfilOrder, FulfilOrderResult } from "./messages.ts";
import { OrderUndo } from "./order-undo.ts";

/** The third edition of `fulfilOrder`. */
export async function thirdEdition(order: FulfilOrder): Promise<FulfilOrderResult> {
  const { orderId } = order;
  const parked = new ParkedUndo();
  const stockLines = order.lines.flatMap(({ sku, quantity }): StockLine[] => (sku === null ? [] : [{ sku, quantity }]));
  let progress: FulfilOrderProgress = { status: "placed", cancelRequested: false, undoing: false };
  const parcel = new ParcelWatch();
  const undo = new OrderUndo(orderId, stockLines, parcel);
  let { address } = order;
  let addressChanges = 0;
  let changing = false;
  let overdue = false;

  const reach = async (step: Promise<OrderMarked & { readonly reason?: string }>): Promise<void> => {
    const { status, cancelRequested, reason } = await step;
    progress = { ...progress, status, cancelRequested: progress.cancelRequested || cancelRequested };
    if (!progress.undoing && (status === "cancelled" || status === "rejected"))
      throw ApplicationFailure.nonRetryable("The order has ended", reason ?? status); // Saga.F4
  };
  const decision = new Decision(orderId, reach, () => progress.cancelRequested);
  const answer = (): UpdateAnswer => ({
    orderId,
    status: progress.status,
    ...(parked.failures.length > 0 ? { undoFailures: parked.failures } : {}),
  });
  const refuseLate = (): void => {
    if (progress.undoing) throw refused("already_final", "The order is being undone");
    if (parcel.left) throw refused("already_shipped", "The order has left the house");
  };
  const stopIfCancelled = (): void => {
    if (progress.cancelRequested) throw ApplicationFailure.nonRetryable("The order was cancelled", "cancelled");
  };

  setHandler(cancelOrder, () => void (progress = { ...progress, cancelRequested: true }));
  setHandler(deliveryDispatched, () => parcel.moved("dispatched"));
  setHandler(deliveryDelivered, () => parcel.moved("delivered"));
  setHandler(deliveryLost, () => parcel.moved("lost"));
  setHandler(deliveryReturned, () => parcel.moved("returned"));
  setHandler(deliveryOverdue, () => void (overdue = true));
  setHandler(getStatus, () => ({
    ...progress,
    deciding: decision.open,
    ...(parked.failures.length > 0 ? { undoFailures: parked.failures } : {}),
  }));
  setHandler(
    requestCancel,
    async () => {
      const accepted = await refusable(untilDone.requestCancel(orderId));
      progress = { ...progress, cancelRequested: true };
      return accepted;
    },
    { validator: refuseLate },
  );
  setHandler(
    changeAddress,
    async (change) => {
      await condition(() => !changing && !parcel.is("scheduling"));
      changing = true;
      try {
        const nth = String(++addressChanges);
        await refusable(steps.changeAddress(orderId, change.address, parcel.is("scheduled"), nth));
        address = change.address;
      } finally {
        changing = false;
      }
      return answer();
    },
    {
      validator(change) {
        // Whoever reaches a workflow by its id may send anything.
        if ((change as { address?: unknown } | undefined)?.address === undefined)
          throw refused("invalid_input", "An address is needed");
        if (progress.cancelRequested) throw refused("already_final", "The order is being undone");
        refuseLate();
      },
    },
  );
  setHandler(
    decide,
    async ({ choice }) => {
      await decision.take(choice);
      return answer();
    },
    {
      validator(answered) {
        if (!decision.open) throw refused("nothing_to_decide", "Nothing is to be decided");
        const choice: unknown = (answered as { choice?: unknown } | undefined)?.choice;
        if (choice !== "accept" && choice !== "wait" && choice !== "cancel")
          throw refused("invalid_input", "There is no such choice");
      },
    },
  );
  setHandler(
    retryUndo,
    async () => {
      await parked.retry();
      return answer();
    },
    { validator: () => refuseRetry(parked) },
  );

  try {
    if (order.lines.some(({ price }) => price === null))
      throw ApplicationFailure.nonRetryable("A line has no price", "unknown_sku");
    // The run before this one may have taken money, wherever this one gives up.
    if (order.resumed === true) undo.money();
    undo.stock();
    const { total, lines } = await decision.holdStock(stockLines, order.total);
    if (progress.status === "delivered" || progress.status === "returned") return await finish(); // Saga.F4
    stopIfCancelled();
    undo.money();
    await steps.authorizePayment({ orderId, amount: total, currency: order.currency, token: order.paymentToken });
    stopIfCancelled();
    await steps.confirmStock(orderId, lines);
    await reach(steps.capturePayment(orderId));
    stopIfCancelled();
    undo.parcel();
    await condition(() => !changing);
    parcel.moved("scheduling");
    const found = await steps.scheduleDelivery(orderId, address, order.customerId, "end");
    parcel.moved("scheduled");
    // What it told while no run was there, as after a restore, has reached nobody.
    if (found === "delivered" || found === "lost" || found === "returned") parcel.moved(found);
    await condition(() => parcel.over || overdue || progress.cancelRequested);
    stopIfCancelled();
    if (!parcel.over) throw ApplicationFailure.nonRetryable("The courier did not come", "dispatch_timed_out");
    // Saga.F2: refused with `cancelled` after an accepted cancel. Its outcome must be known, so nothing cuts it short.
    if (!parcel.is("delivered")) await CancellationScope.nonCancellable(() => reach(untilDone.markShipped(orderId)));
  } catch (error) {
    return await giveUp(error);
  }
  return await CancellationScope.nonCancellable(arrive);

  /** From the point of no return to the end: the parcel arrives, is lost, or comes back. */
  async function arrive(): Promise<FulfilOrderResult> {
    await condition(() => parcel.over);
    if (parcel.is("delivered")) {
      try {
        await reach(untilDone.completeOrder(orderId, stockLines));
      } catch (error) {
        if (failureReason(error) !== "cancelled") throw error;
        return await giveUp(error); // Saga.F2: the cancel was before the parcel had left
      }
      return await finish();
    }
    const lost = parcel.is("lost");
    const undoShipped = new UndoStack();
    undoShipped.add("giveBackStock", () =>
      lost ? undos.settleStock(orderId, stockLines) : undos.giveBackStock(orderId, stockLines),
    );
    undoShipped.add("refundPayment", () => undos.refundPayment(orderId));
    await undoAll(undoShipped);
    await reach(lost ? untilDone.markLost(orderId) : untilDone.markReturned(orderId, "undeliverable"));
    return { ...(await finish()), reason: lost ? "parcel_lost" : "undeliverable" };
  }

  /** Undoes what was done and tells the order how it ended. A cancel by Temporal is passed on when all is undone. */
  async function giveUp(error: unknown): Promise<FulfilOrderResult> {
    if (!(error instanceof TemporalFailure)) throw error; // a bug: the task fails and runs again with the mended code
    const reason = isCancellation(error) ? "cancelled" : failureReason(error);
    const result = await CancellationScope.nonCancellable(async () => {
      if (isCancellation(error) && !(await cancelledInTime())) return await arrive(); // Saga.F2
      await undoAll(undo.stack);
      const rejected = (): Promise<OrderMarked> => untilDone.rejectOrder(orderId, reason, true);
      await reach(reason === "cancelled" ? untilDone.markCancelled(orderId) : rejected());
      return await finish();
    });
    if (isCancellation(error) && result.status === "cancelled") throw error;
    return result.status === "rejected" ? { ...result, reason } : result;
  }

  /** Whether a cancel by Temporal comes before shipping: the order actor says so (Saga.F4). */
  async function cancelledInTime(): Promise<boolean> {
    try {
      await untilDone.requestCancel(orderId);
      return true;
    } catch (error) {
      return failureReason(error) !== "already_shipped";
    }
  }

  /** Saga.F1. */
  async function undoAll(stack: UndoStack): Promise<void> {
    progress = { ...progress, undoing: true };
    await parked.run(stack, async (failures, round) => {
      await reach(untilDone.markNeedsAttention(orderId, failures, round));
      upsertSearchAttributes([{ key: orderStatus, value: progress.status }]);
    });
  }

  /** The search attribute names what is out of the ordinary: each change costs the server as much as a step. */
  async function finish(): Promise<FulfilOrderResult> {
    await condition(allHandlersFinished);
    if (progress.status !== "delivered") upsertSearchAttributes([{ key: orderStatus, value: progress.status }]);
    return { orderId, status: progress.status };
  }
}

/** A refusal of an actor as the failure of an update: with its own reason as the type. */
async function refusable<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    throw refused(failureReason(error), error.message);
  }
}

function refused(code: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
