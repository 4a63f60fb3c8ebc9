import * as v from "valibot";
import { RunSimulation, SimulationId } from "#actors/shop/simulation/messages.ts";
import type { WorkflowStart } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

export { RUN_SIMULATION } from "./names.ts";

/** What `runSimulation` is started with. */
export const SimulationRun = v.object({ id: SimulationId, plan: RunSimulation });
export type SimulationRun = v.InferOutput<typeof SimulationRun>;

/** The request that starts a simulation. */
export function runSimulationStart(run: SimulationRun): WorkflowStart {
  return {
    type: "runSimulation",
    id: workflowIds.runSimulation(run.id),
    taskQueue: TASK_QUEUES.shop,
    args: [run],
  };
}
