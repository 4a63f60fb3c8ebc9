/** The workflows of the task queue `orchestrator`: the entry of its bundle. */
export { reconcileService } from "./reconcile-service/workflow.ts";
export { keepSchedule, runJob } from "./run-job/workflow.ts";
