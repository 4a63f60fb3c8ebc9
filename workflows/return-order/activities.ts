import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import type { Troupe } from "#runtime";
import { actorCalls } from "#workflows/actor-calls.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** Pieces of one SKU that come back. */
export interface ReturnedLine {
  readonly sku: string;
  readonly quantity: number;
}

/** The steps of `returnOrder` beside those it shares with `fulfilOrder`. */
export function returnOrderActivities({ troupe }: { readonly troupe: Pick<Troupe, "ref"> }) {
  const calls = (orderId: string) => actorCalls(workflowIds.returnOrder(orderId));
  return {
    /** Has the courier fetch the parcel; its return, or loss, is signalled to the workflow. */
    async startReturn(orderId: string): Promise<void> {
      const workflowId = workflowIds.returnOrder(orderId);
      await calls(orderId)("start", (once) => troupe.ref(Delivery, orderId).startReturn({ workflowId }, once));
    },

    /** Puts the pieces back on the shelf. The stock knows for 30 days which returns it took. */
    async takeReturn(orderId: string, lines: readonly ReturnedLine[]): Promise<void> {
      const call = calls(orderId);
      const taken = lines.map(({ sku, quantity }) =>
        call(`take/${sku}`, (once) => troupe.ref(Stock, sku).takeReturn({ orderId, quantity }, once)),
      );
      for (const result of await Promise.allSettled(taken)) if (result.status === "rejected") throw result.reason;
    },
  };
}
