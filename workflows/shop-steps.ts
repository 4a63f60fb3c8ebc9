import { proxyLocalActivities } from "@temporalio/workflow";
import type { ShopActivities } from "./shop-activities.ts";

const retry = { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "5s" } as const;

// Local activities run inside the workflow task that asks for them: no trip to the server per step. They stay visible by
// name in the history, as markers. A wait longer than the threshold becomes a timer, so that it does not hold the task.

/** Steps on the way forward: an outage of ten minutes is waited out, a longer one turns the order down. */
export const steps = proxyLocalActivities<ShopActivities>({
  startToCloseTimeout: "10s",
  scheduleToCloseTimeout: "10m",
  localRetryThreshold: "2s",
  retry,
});

/** Undos: an outage of an hour is waited out; then the undo is parked, where it can be seen. */
export const undos = proxyLocalActivities<ShopActivities>({
  startToCloseTimeout: "10s",
  scheduleToCloseTimeout: "1h",
  localRetryThreshold: "2s",
  retry,
});

/** Marks and what comes after the point of no return: tried for ever. */
export const untilDone = proxyLocalActivities<ShopActivities>({
  startToCloseTimeout: "10s",
  localRetryThreshold: "2s",
  retry,
});
