import type { WorkflowLinks } from "#infra/temporal/links.ts";
import type { Troupe } from "#runtime";
import type { Invariant } from "../read-model/invariants.ts";
import type { OrderLists } from "../read-model/orders.ts";
import type { Reports } from "../read-model/reports.ts";

/** What is said beside an update. */
export interface UpdateOnce {
  /** The same again gets the same answer. */
  readonly updateId?: string | undefined;
  /** The trace it is part of, and with it what comes after it. */
  readonly traceparent?: string | undefined;
}

/** What the routes ask of running workflows. */
export interface OrderWorkflows {
  /** Waits for the workflow's answer. */
  update(workflowId: string, name: string, input?: unknown, once?: UpdateOnce): Promise<unknown>;
}

/** A look at the invariants of the shop. */
export interface InvariantCheck {
  /** What changed within `graceMs` is not judged. @default 30_000 */
  check(graceMs?: number): Promise<readonly Invariant[]>;
}

/** What the shop's routes speak to. */
export interface ShopDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** Lists of orders, from their read model. @throws {Problem} 503 while it is not there yet. */
  readonly orders: () => OrderLists;
  /** Figures of the shop, likewise. */
  readonly reports: () => Reports;
  /** The invariants of the shop, likewise. */
  readonly audit: () => InvariantCheck;
  /** The running workflows of orders. @throws {Problem} 503 when there is no Temporal. */
  readonly workflows: () => OrderWorkflows;
  readonly links: WorkflowLinks;
}
