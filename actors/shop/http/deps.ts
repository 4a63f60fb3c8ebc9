import type { WorkflowLinks } from "#infra/temporal/links.ts";
import type { Troupe } from "#runtime";
import type { OrderLists } from "../order/read-model.ts";

/** What the shop's routes speak to. */
export interface ShopDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** Lists of orders, from their read model. @throws {Problem} 503 while it is not there yet. */
  readonly orders: () => OrderLists;
  readonly links: WorkflowLinks;
}
