/** The entry file of each task queue's workflows: what its bundle is made from. */
import { join } from "node:path";
import type { TASK_QUEUES } from "./task-queues.ts";

/** Absolute paths, by the queue's key in `TASK_QUEUES`. */
export const WORKFLOW_ENTRIES: Readonly<Record<keyof typeof TASK_QUEUES, string>> = {
  shop: join(import.meta.dirname, "shop.ts"),
  gateway: join(import.meta.dirname, "deliver-webhook", "workflow.ts"),
  orchestrator: join(import.meta.dirname, "orchestrator.ts"),
};
