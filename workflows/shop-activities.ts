import { fulfilOrderActivities, type FulfilOrderPorts } from "./fulfil-order/activities.ts";
import { returnOrderActivities } from "./return-order/activities.ts";
import { settlePaymentActivities } from "./settle-payment/activities.ts";

/** Every activity of the task queue `shop`. */
export function shopActivities(ports: FulfilOrderPorts) {
  return { ...fulfilOrderActivities(ports), ...returnOrderActivities(ports), ...settlePaymentActivities(ports) };
}
export type ShopActivities = ReturnType<typeof shopActivities>;
