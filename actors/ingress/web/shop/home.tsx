import { useQuery } from "@tanstack/react-query";
import { ask } from "../kit/api.ts";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { money } from "../kit/format.ts";

interface Product {
  readonly sku: string;
  readonly name: string;
  readonly price: number;
  readonly currency: string;
}

/** What there is to buy. */
export function Home() {
  const products = useQuery({
    queryKey: ["products"],
    queryFn: () => ask<{ items: readonly Product[] }>("/products?limit=200"),
  });
  return (
    <div className="stack">
      <h1>Products</h1>
      {products.isPending && <Skeleton rows={4} height={80} />}
      {products.isError && <Failure error={products.error} retry={() => void products.refetch()} />}
      {products.data?.items.length === 0 && <Empty title="There are no products yet" command="bun run dev" />}
      <ul className="products">
        {products.data?.items.map(({ sku, name, price, currency }) => (
          <li key={sku} className="card product">
            <div className="body stack">
              <h2>{name}</h2>
              <span className="number">{money(price, currency)}</span>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
