import type { Troupe } from "#runtime";
import { fulfilOrderActivities, type FulfilOrderPorts } from "./fulfil-order/activities.ts";
import { refillStockActivities } from "./refill-stock/activities.ts";
import { returnOrderActivities } from "./return-order/activities.ts";
import { runSimulationActivities, type SimulationPorts } from "./run-simulation/activities.ts";
import { settlePaymentActivities } from "./settle-payment/activities.ts";

/** What the activities of the shop reach the world through. */
export interface ShopPorts extends FulfilOrderPorts, SimulationPorts {
  readonly troupe: Pick<Troupe, "ref" | "list">;
}

/** Every activity of the task queue `shop`. */
export function shopActivities(ports: ShopPorts) {
  return {
    ...fulfilOrderActivities(ports),
    ...returnOrderActivities(ports),
    ...settlePaymentActivities(ports),
    ...runSimulationActivities(ports),
    ...refillStockActivities(ports),
  };
}
export type ShopActivities = ReturnType<typeof shopActivities>;
