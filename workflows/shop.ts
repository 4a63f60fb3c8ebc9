/** The workflows of the task queue `shop`: the entry of its bundle. */
export { fulfilOrder } from "./fulfil-order/workflow.ts";
export { returnOrder } from "./return-order/workflow.ts";
export { refillStock } from "./refill-stock/workflow.ts";
export { runSimulation } from "./run-simulation/workflow.ts";
export { settlePayment } from "./settle-payment/workflow.ts";
