import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { InferOutput } from "valibot";
import type { Address } from "#actors/shop/delivery/messages.ts";
import type { CancelAccepted, Choice, OrderStatus, UndoFailure } from "#actors/shop/order/messages.ts";
import { fulfilOrderSignals, fulfilOrderUpdates, GET_STATUS, searchAttributes } from "./fulfil-order/names.ts";

/** What `getStatus` answers: the order's status as the saga knows it, and what it waits for. */
export interface FulfilOrderProgress {
  readonly status: OrderStatus;
  readonly cancelRequested: boolean;
  readonly undoing: boolean;
  /** The customer is asked whether a part will do. */
  readonly deciding?: boolean;
  /** Undos that wait for somebody to have them tried again. */
  readonly undoFailures?: readonly UndoFailure[];
}

/** How an order stands after an update. */
export interface UpdateAnswer {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly undoFailures?: readonly UndoFailure[];
}

export const cancelOrder = defineSignal(fulfilOrderSignals.cancel);
export const deliveryDispatched = defineSignal(fulfilOrderSignals.dispatched);
export const deliveryDelivered = defineSignal(fulfilOrderSignals.delivered);
export const deliveryLost = defineSignal(fulfilOrderSignals.lost);
export const deliveryReturned = defineSignal(fulfilOrderSignals.returned);
export const deliveryOverdue = defineSignal(fulfilOrderSignals.overdue);
export const getStatus = defineQuery<FulfilOrderProgress>(GET_STATUS);

export const requestCancel = defineUpdate<InferOutput<typeof CancelAccepted>>(fulfilOrderUpdates.cancel);
export const changeAddress = defineUpdate<UpdateAnswer, [{ readonly address: Address }]>(
  fulfilOrderUpdates.changeAddress,
);
export const decide = defineUpdate<UpdateAnswer, [{ readonly choice: Choice }]>(fulfilOrderUpdates.decide);
export const retryUndo = defineUpdate<UpdateAnswer>(fulfilOrderUpdates.retryUndo);

/** The search attribute that names an order whose undos are parked, or that ended otherwise than delivered. */
export const orderStatus = { name: searchAttributes.orderStatus, type: "KEYWORD" } as const;
