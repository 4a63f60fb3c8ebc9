import { Stock } from "#actors/shop/stock/stock.ts";
import type { Log, Troupe } from "#runtime";

const PIECES = 10_000;
const PRODUCTS = [
  { sku: "TEA-1", name: "Assam, loose leaf, 250 g", price: 890 },
  { sku: "TEA-2", name: "Sencha, loose leaf, 100 g", price: 1_150 },
  { sku: "CUP-1", name: "Cup, stoneware", price: 1_400 },
  { sku: "POT-1", name: "Teapot, cast iron, 1 l", price: 6_200 },
  { sku: "TIN-1", name: "Tin, 500 g", price: 950 },
] as const;

/**
 * Creates the demo products that are not there yet, with pieces in stock. Safe to repeat, and for several nodes at once:
 * what exists is left alone, and the message ids make twins act once.
 */
export async function seedProducts(troupe: Pick<Troupe, "ref">, log: Log): Promise<void> {
  let created = 0;
  for (const { sku, name, price } of PRODUCTS) {
    const stock = troupe.ref(Stock, sku);
    if ((await stock.product()) !== null) continue;
    await stock.putProduct({ name, price, currency: "EUR" }, { id: "seed/product" });
    await stock.refill({ quantity: PIECES }, { id: "seed/refill" });
    created++;
  }
  if (created > 0) log("info", "seed:done", { products: created });
}
