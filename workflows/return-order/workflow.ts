/**
 * The return of a delivered order: the parcel comes back, then pieces go on the shelf and money to the customer.
 *
 * R1 Nothing is given back before the parcel has arrived; one that is lost on its way back is the shop's loss.
 * R2 What is refused for good is parked, as in `fulfilOrder`: the order is `needs_attention` until it was tried again.
 * R3 A parcel that does not come within a month leaves the order `delivered`.
 */
import { allHandlersFinished, condition, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import type { FulfilOrderResult } from "../fulfil-order/messages.ts";
import { deliveryLost, deliveryReturned, orderStatus, retryUndo } from "../order-doors.ts";
import { ParcelWatch } from "../parcel-watch.ts";
import { ParkedUndo, refuseRetry } from "../parked-undo.ts";
import { undos, untilDone } from "../shop-steps.ts";
import { UndoStack } from "../undo-stack.ts";
import type { ReturnedLine } from "./activities.ts";
import type { ReturnOrder } from "./messages.ts";

const ARRIVE_WITHIN = "30d";

/** Returns one delivered order. Ends with the order `returned`, or still `delivered` where no parcel came. */
export async function returnOrder({ orderId, lines, reason }: ReturnOrder): Promise<FulfilOrderResult> {
  const back = lines.flatMap(({ sku, quantity }): ReturnedLine[] => (sku === null ? [] : [{ sku, quantity }]));
  const parked = new ParkedUndo();
  let status: FulfilOrderResult["status"] = "delivered";
  const parcel = new ParcelWatch();
  setHandler(deliveryReturned, () => parcel.moved("returned"));
  setHandler(deliveryLost, () => parcel.moved("lost"));
  setHandler(
    retryUndo,
    async () => {
      const undoFailures = await parked.retry();
      return { orderId, status, ...(undoFailures.length > 0 ? { undoFailures } : {}) };
    },
    { validator: () => refuseRetry(parked) },
  );

  await untilDone.startReturn(orderId);
  if (!(await condition(() => parcel.over, ARRIVE_WITHIN))) return { orderId, status }; // ReturnOrder.R3
  const undo = new UndoStack();
  undo.add("refundPayment", () => undos.refundPayment(orderId));
  if (parcel.is("returned")) undo.add("takeReturn", () => undos.takeReturn(orderId, back)); // ReturnOrder.R1
  await parked.run(undo, async (failures, round) => {
    ({ status } = await untilDone.markNeedsAttention(orderId, failures, round));
    upsertSearchAttributes([{ key: orderStatus, value: status }]);
  });
  ({ status } = await untilDone.markReturned(orderId, reason));
  await condition(allHandlersFinished);
  upsertSearchAttributes([{ key: orderStatus, value: status }]);
  return { orderId, status, reason };
}
