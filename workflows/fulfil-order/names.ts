/** The names of `fulfilOrder` that the outside uses. Free of imports: the workflow bundle holds this file too. */
export const fulfilOrderSignals = {
  cancel: "cancelOrder",
  dispatched: "deliveryDispatched",
  delivered: "deliveryDelivered",
} as const;

/** The query that tells a running saga's step. */
export const GET_STATUS = "getStatus";

/** Search attributes of the shop's workflows; both are keywords. */
export const searchAttributes = { orderId: "OrderId", orderStatus: "OrderStatus" } as const;
