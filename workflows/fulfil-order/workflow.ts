import { patched, workflowInfo } from "@temporalio/workflow";
import { firstEdition } from "./first-edition.ts";
import type { FulfilOrder, FulfilOrderResult } from "./messages.ts";
import { thirdEdition } from "./saga.ts";
import { secondEdition } from "./second-edition.ts";

const SECOND = "second-edition";

/**
 * Fulfils one order. Ends with the order `delivered`, `rejected`, `cancelled` or `returned`; fails only when cancelled by
 * Temporal. Which edition of the saga an order runs stands in its input: a mark in its history would cost the server two events
 * of each order.
 */
export async function fulfilOrder(order: FulfilOrder): Promise<FulfilOrderResult> {
  if (order.edition === 3 && !begunBySecond()) return await thirdEdition(order);
  return patched(SECOND) ? await secondEdition(order) : await firstEdition(order);
}

/** A worker that knew no third edition, while both were running, has begun this run and left its mark. */
function begunBySecond(): boolean {
  return workflowInfo().unsafe.isReplaying && patched(SECOND);
}
