import { useQuery } from "@tanstack/react-query";
import { ask } from "../kit/api.ts";
import { stored } from "../kit/stored.ts";
import type { Product } from "./types.ts";

/** How many pieces of each SKU. */
type Basket = Readonly<Record<string, number>>;
const MOST = 1_000;

const basket = stored<Basket>("troupe-basket", (kept) =>
  typeof kept === "object" && kept !== null
    ? Object.fromEntries(
        Object.entries(kept).filter(([, n]) => typeof n === "number" && Number.isInteger(n) && n > 0 && n <= MOST),
      )
    : {},
);

/** Sets how many pieces of a SKU are in the basket; 0 takes it out. */
export function setPieces(sku: string, change: (pieces: number) => number): void {
  basket.set((lines) => {
    const { [sku]: pieces = 0, ...rest } = lines;
    const next = Math.min(MOST, Math.max(0, change(pieces)));
    return next === 0 ? rest : { ...lines, [sku]: next };
  });
}

export function emptyBasket(): void {
  basket.set(() => ({}));
}

/** How many pieces are in the basket. */
export function usePieces(): number {
  return Object.values(basket.use()).reduce((sum, pieces) => sum + pieces, 0);
}

/** The products there are to buy. */
export function useProducts() {
  return useQuery({
    queryKey: ["products"],
    queryFn: () => ask<{ items: readonly Product[] }>("/products?limit=200"),
    staleTime: 60_000,
  });
}

export interface BasketLine {
  readonly product: Product;
  readonly quantity: number;
}

/** The lines of the basket with their products, and what they cost together, in the currency of the first. */
export function useBasket(): {
  readonly lines: readonly BasketLine[];
  readonly total: number;
  readonly currency: string;
} {
  const pieces = basket.use();
  const products = useProducts();
  const lines = (products.data?.items ?? []).flatMap((product) => {
    const quantity = pieces[product.sku];
    return quantity === undefined ? [] : [{ product, quantity }];
  });
  return {
    lines,
    total: lines.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0),
    currency: lines[0]?.product.currency ?? "EUR",
  };
}
