import { proxyActivities, workflowInfo } from "@temporalio/workflow";
import type { LowStock, RefillStockActivities } from "./activities.ts";
import type { RefillStock } from "./messages.ts";

const { findLowStock, refillOne } = proxyActivities<RefillStockActivities>({
  startToCloseTimeout: "60s",
  retry: { initialInterval: "500ms", maximumInterval: "1m" },
});

/** Refills what runs out. Runs by the schedule `refill-stock` every two hours, and on demand. */
export async function refillStock({ below = 100, upTo = 1_000 }: Partial<RefillStock> = {}): Promise<
  readonly LowStock[]
> {
  const low = await findLowStock(below, upTo);
  for (const stock of low) await refillOne(workflowInfo().runId, stock);
  return low;
}
