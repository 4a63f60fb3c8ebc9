/** The names of `fulfilOrder` that the outside uses. Free of imports: the workflow bundle holds this file too. */
export const fulfilOrderSignals = {
  cancel: "cancelOrder",
  dispatched: "deliveryDispatched",
  delivered: "deliveryDelivered",
  lost: "deliveryLost",
  returned: "deliveryReturned",
  overdue: "deliveryOverdue",
} as const;

/** Updates of a running saga: each is checked by its validator before it is taken. */
export const fulfilOrderUpdates = {
  cancel: "cancelOrder",
  changeAddress: "changeAddress",
  decide: "decide",
  retryUndo: "retryUndo",
} as const;

/** The query that tells a running saga's step. */
export const GET_STATUS = "getStatus";

/** Search attributes of the shop's workflows; all are keywords. */
export const searchAttributes = { orderId: "OrderId", orderStatus: "OrderStatus", customerId: "CustomerId" } as const;
