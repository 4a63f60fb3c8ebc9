import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { useLive } from "../kit/live.ts";
import { useProducts } from "./basket.ts";
import { ProductCard } from "./product-card.tsx";

/** However many orders come in, the stock is asked for this often at most. */
const STOCK_EVERY_MS = 1_000;

/** What there is to buy. Every order that is placed or given up renews the stock. */
export function Home() {
  const products = useProducts();
  const queries = useQueryClient();
  const asked = useRef(0);
  useLive(["orders"], () => {
    if (Date.now() - asked.current < STOCK_EVERY_MS) return;
    asked.current = Date.now();
    setTimeout(() => void queries.invalidateQueries({ queryKey: ["stock"] }), STOCK_EVERY_MS);
  });
  return (
    <div className="stack">
      <header className="hero">
        <h1>Good tea, kept honestly</h1>
        <p className="soft">
          Every piece you see is really there: stock is held while you pay, and given back if you change your mind.
        </p>
      </header>
      {products.isPending && (
        <div className="products">
          {Array.from({ length: 5 }, (_, i) => (
            <Skeleton key={i} height={278} />
          ))}
        </div>
      )}
      {products.isError && <Failure error={products.error} retry={() => void products.refetch()} />}
      {products.data?.items.length === 0 && (
        <Empty title="There are no products yet" command="TROUPE_SEED=on bun run dev">
          Start with demo products, or put one with the API.
        </Empty>
      )}
      <ul className="products">
        {products.data?.items.map((product) => (
          <ProductCard key={product.sku} product={product} />
        ))}
      </ul>
    </div>
  );
}
