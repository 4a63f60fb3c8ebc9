import type { Product } from "../stock/messages.ts";
import { type OrderLine, type PlaceOrder, quantitiesOf } from "./messages.ts";

/** Lines with their prices, their sum, and the currencies that occur in them. */
export interface PricedLines {
  readonly lines: OrderLine[];
  /** What the lines cost together, in minor units. */
  readonly goods: number;
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
    return { lines: [line], goods: order.amount, currencies: [order.currency ?? "EUR"] };
  }
  const currencies = new Set<string>();
  const lines = await Promise.all(
    Array.from(quantitiesOf(order.lines ?? []), async ([sku, quantity]) => {
      const product = await productOf(sku);
      if (!product) return { sku, name: sku, quantity, price: null };
      currencies.add(product.currency);
      return { sku, name: product.name, quantity, price: product.price };
    }),
  );
  return { lines, goods: goodsOf(lines), currencies: [...currencies] };
}

/** What lines cost together. */
export function goodsOf(lines: readonly Pick<OrderLine, "price" | "quantity">[]): number {
  return lines.reduce((sum, { price, quantity }) => sum + (price ?? 0) * quantity, 0);
}
