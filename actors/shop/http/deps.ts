import type { WorkflowLinks } from "#infra/temporal/links.ts";
import type { Troupe } from "#runtime";
import type { OrderLists } from "../order/read-model.ts";

/** What the routes ask of running workflows. */
export interface OrderWorkflows {
  /** Waits for the workflow's answer. The same `updateId` again gets the same answer. */
  update(workflowId: string, name: string, input?: unknown, updateId?: string): Promise<unknown>;
}

/** What the shop's routes speak to. */
export interface ShopDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** Lists of orders, from their read model. @throws {Problem} 503 while it is not there yet. */
  readonly orders: () => OrderLists;
  /** The running workflows of orders. @throws {Problem} 503 when there is no Temporal. */
  readonly workflows: () => OrderWorkflows;
  readonly links: WorkflowLinks;
}
