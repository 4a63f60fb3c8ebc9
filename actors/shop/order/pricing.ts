import type { Product } from "#actors/shop/stock/messages.ts";
import type { OrderLine, PlaceOrder } from "./messages.ts";

/** Lines with their prices, their sum, and the currencies that occur in them. */
export interface PricedLines {
  readonly lines: OrderLine[];
  readonly total: number;
  readonly currencies: readonly string[];
}

/**
 * Prices an order's lines by asking for each product once. Lines of one SKU become one line, because stock is held per
 * order and SKU. A line of an unknown SKU keeps `price: null`: the order is taken and the saga turns it down.
 */
export async function priceLines(
  order: Pick<PlaceOrder, "lines" | "amount" | "currency">,
  productOf: (sku: string) => Promise<Product | null>,
): Promise<PricedLines> {
  if (order.amount !== undefined) {
    const line = { sku: null, name: "Free amount", quantity: 1, price: order.amount };
    return { lines: [line], total: order.amount, currencies: [order.currency ?? "EUR"] };
  }
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of order.lines ?? []) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  const currencies = new Set<string>();
  let total = 0;
  const lines = await Promise.all(
    Array.from(quantities, async ([sku, quantity]) => {
      const product = await productOf(sku);
      if (!product) return { sku, name: sku, quantity, price: null };
      currencies.add(product.currency);
      total += product.price * quantity;
      return { sku, name: product.name, quantity, price: product.price };
    }),
  );
  return { lines, total, currencies: [...currencies] };
}
