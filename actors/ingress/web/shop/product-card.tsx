import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { ask } from "../kit/api.ts";
import { count, money } from "../kit/format.ts";
import { useToast } from "../kit/toasts.tsx";
import { Art } from "./art.tsx";
import { setPieces } from "./basket.ts";
import type { Product, StockLevel } from "./types.ts";

const FEW = 20;

/** One product: what it looks like, costs, and how many are left now. */
export function ProductCard({ product }: { product: Product }) {
  const { sku, name, price, currency } = product;
  const say = useToast();
  const stock = useQuery({
    queryKey: ["stock", sku],
    queryFn: () => ask<StockLevel>(`/stock/${encodeURIComponent(sku)}`),
    refetchInterval: 15_000,
  });
  const left = stock.data?.available;
  return (
    <li className="card product">
      <Art sku={sku} name={name} />
      <div className="product-text">
        <h2>{name}</h2>
        <p className="soft small product-stock" data-few={left !== undefined && left <= FEW}>
          {left === undefined ? (stock.isError ? "Stock unknown" : " ") : left > 0 ? `${count(left)} left` : "Sold out"}
        </p>
      </div>
      <div className="product-foot">
        <span className="number price grow">{money(price, currency)}</span>
        <button
          type="button"
          className="button"
          disabled={left === 0}
          aria-label={`Add ${name} to the basket`}
          onClick={() => {
            setPieces(sku, (pieces) => pieces + 1);
            say("good", "added", `${name} is in the basket`);
          }}
        >
          <Plus size={14} aria-hidden="true" />
          Add
        </button>
      </div>
    </li>
  );
}
