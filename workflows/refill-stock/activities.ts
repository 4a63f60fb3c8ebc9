import { Stock } from "#actors/shop/stock/stock.ts";
import type { Troupe } from "#runtime";

/** A product whose pieces run out. */
export interface LowStock {
  readonly sku: string;
  readonly missing: number;
}

/** The steps of `refillStock`. */
export function refillStockActivities({ troupe }: { readonly troupe: Pick<Troupe, "ref" | "list"> }) {
  return {
    /** The products with fewer than `below` pieces available, and how many are missing up to `upTo`. */
    async findLowStock(below: number, upTo: number): Promise<LowStock[]> {
      const low: LowStock[] = [];
      for (let after: string | undefined; ;) {
        const page = await troupe.list(Stock, { limit: 200, ...(after === undefined ? {} : { after }) });
        for (const { key } of page) {
          const level = await troupe.ref(Stock, key).level();
          if (level !== null && level.available < below && !key.startsWith("SIM-SOLD-OUT"))
            low.push({ sku: key, missing: upTo - level.available });
        }
        after = page.at(-1)?.key;
        if (page.length < 200 || after === undefined) return low;
      }
    },

    /** Adds pieces, once per run. */
    async refillOne(run: string, { sku, missing }: LowStock): Promise<void> {
      if (missing > 0) await troupe.ref(Stock, sku).refill({ quantity: missing }, { id: `refill-stock/${run}` });
    },
  };
}
export type RefillStockActivities = ReturnType<typeof refillStockActivities>;
