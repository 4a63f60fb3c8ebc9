import type { OrderLists } from "#actors/order/read-model.ts";
import type { Log, Troupe } from "#runtime";
import type { WorkflowClient } from "#workflows/client.ts";
import type { Readiness } from "./readiness.ts";

/** What the ingress speaks to. Given by whoever starts the process. */
export interface IngressDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** Lists of orders, from their read model. @throws {Problem} 503 while it is not there yet. */
  readonly orders: () => OrderLists;
  /** The workflows. @throws {Problem} 503 when there is no Temporal. */
  readonly workflows: () => WorkflowClient;
  readonly readiness: () => Promise<Readiness>;
  readonly links: Links;
  readonly log: Log;
}

/** Addresses of pages elsewhere. */
export interface Links {
  /** The page of a workflow in the Temporal UI; `null` where there is none. */
  workflow(workflowId: string, runId?: string): string | null;
  /** The Temporal UI itself. */
  readonly temporalUi: string | null;
}
