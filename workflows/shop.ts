/** The workflows of the task queue `shop`: the entry of its bundle. */
export { fulfilOrder } from "./fulfil-order/workflow.ts";
export { returnOrder } from "./return-order/workflow.ts";
export { settlePayment } from "./settle-payment/workflow.ts";
