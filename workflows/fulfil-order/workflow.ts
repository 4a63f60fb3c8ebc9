import { patched } from "@temporalio/workflow";
import { firstEdition } from "./first-edition.ts";
import type { FulfilOrder, FulfilOrderResult } from "./messages.ts";
import { secondEdition } from "./saga.ts";

/**
 * Fulfils one order. Ends with the order `delivered`, `rejected`, `cancelled` or `returned`; fails only when cancelled by
 * Temporal. Which edition of the saga an order runs is written into its history when it starts.
 */
export async function fulfilOrder(order: FulfilOrder): Promise<FulfilOrderResult> {
  return patched("second-edition") ? await secondEdition(order) : await firstEdition(order);
}
