import type { GenericSchema } from "valibot";
import { newId } from "#runtime";
import { FulfilOrder } from "./fulfil-order/messages.ts";
import { RefillStock } from "./refill-stock/messages.ts";
import { TASK_QUEUES } from "./task-queues.ts";
import { workflowIds } from "./workflow-ids.ts";

/** A workflow that the outside may start. */
export interface StartableWorkflow {
  /** The workflow's function, as in `fulfilOrder`. */
  readonly name: string;
  readonly taskQueue: string;
  /** Checks the input, and describes it as JSON Schema. */
  readonly input: GenericSchema;
  /** The business id of an input: whatever id a caller gives, this one is used. */
  readonly idOf: (input: unknown) => string;
}

/** Every workflow that `POST /workflows/:type` may start. */
export const WORKFLOW_TYPES: readonly StartableWorkflow[] = [
  // One line per workflow: name, task queue, input, business id.
  startable("refillStock", TASK_QUEUES.shop, RefillStock, () => workflowIds.refillStock(newId("run"))),
  startable("fulfilOrder", TASK_QUEUES.shop, FulfilOrder, ({ orderId }) => workflowIds.fulfilOrder(orderId)),
];

function startable<Input>(
  name: string,
  taskQueue: string,
  input: GenericSchema<unknown, Input>,
  idOf: (input: Input) => string,
): StartableWorkflow {
  return { name, taskQueue, input, idOf: (value) => idOf(value as Input) };
}
