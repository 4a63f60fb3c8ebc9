/** The workflows of the task queue `shop`: the entry of its bundle. */
export { fulfilOrder } from "./fulfil-order/workflow.ts";
