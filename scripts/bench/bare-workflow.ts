/** The baseline of the benchmark `saga`: a workflow of three ordinary activities. Bundled by its path. */
import { proxyActivities } from "@temporalio/workflow";

/** What {@link bareWorkflow} calls. */
export interface BareActivities {
  step(orderId: string): Promise<string>;
}

const { step } = proxyActivities<BareActivities>({ startToCloseTimeout: "10s" });

/** Three steps, one after the other. */
export async function bareWorkflow(orderId: string): Promise<string> {
  await step(orderId);
  await step(orderId);
  return await step(orderId);
}
