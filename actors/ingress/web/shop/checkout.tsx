import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { command } from "../kit/api.ts";
import { Empty, Failure } from "../kit/feedback.tsx";
import { money } from "../kit/format.ts";
import { stored } from "../kit/stored.ts";
import { useToast } from "../kit/toasts.tsx";
import { AddressFields, type AddressForm } from "./address-fields.tsx";
import { Pieces } from "./basket-drawer.tsx";
import { emptyBasket, useBasket } from "./basket.ts";
import { customer } from "./customer.ts";
import { PaymentCards } from "./payment-cards.tsx";

const FIRST: AddressForm = {
  name: "Ada Lovelace",
  street: "Analytical Way 12",
  postcode: "10115",
  city: "Berlin",
  country: "DE",
};

const address = stored<AddressForm>("troupe-address", (kept) =>
  typeof kept === "object" && kept !== null ? { ...FIRST, ...kept } : FIRST,
);

/** Where it goes, how it is paid, what it costs; then the order's own page. */
export function Checkout() {
  const { lines, total, currency } = useBasket();
  const customerId = customer.use();
  const to = address.use();
  const [paymentToken, setToken] = useState("tok_ok");
  const [, go] = useLocation();
  const queries = useQueryClient();
  const say = useToast();
  const place = useMutation({
    mutationFn: () =>
      command<{ readonly orderId: string }>("/orders", {
        customerId,
        lines: lines.map(({ product, quantity }) => ({ sku: product.sku, quantity })),
        paymentToken,
        address: to,
      }),
    onSuccess: ({ orderId }) => {
      emptyBasket();
      void queries.invalidateQueries({ queryKey: ["orders"] });
      say("good", "placed", "Your order is on its way to the shelves");
      go(`/shop/orders/${orderId}`);
    },
  });
  if (lines.length === 0)
    return (
      <Empty title="There is nothing to pay for">
        <Link href="/" className="button">
          To the products
        </Link>
      </Empty>
    );
  return (
    <form
      className="checkout"
      onSubmit={(event) => {
        event.preventDefault();
        place.mutate();
      }}
    >
      <div className="stack">
        <h1>Check out</h1>
        <section className="card" aria-labelledby="where">
          <header>
            <h2 id="where">Where to</h2>
          </header>
          <div className="body">
            <AddressFields value={to} onChange={(value) => address.set(() => value)} />
          </div>
        </section>
        <section className="card" aria-labelledby="how">
          <header>
            <h2 id="how">How you pay</h2>
          </header>
          <div className="body">
            <PaymentCards token={paymentToken} onChange={setToken} />
          </div>
        </section>
      </div>
      <aside className="card summary" aria-label="Your order">
        <header>
          <h2 className="grow">Your order</h2>
          <span className="soft small">for {customerId}</span>
        </header>
        <div className="body stack">
          <ul className="stack">
            {lines.map((line) => (
              <Pieces key={line.product.sku} line={line} />
            ))}
          </ul>
          <dl className="sums">
            <dt>Total</dt>
            <dd className="number">{money(total, currency)}</dd>
          </dl>
          <p className="soft small">
            Prices include tax. Shipping, where it is not free, is added when the order is placed.
          </p>
          {place.isError && <Failure error={place.error} />}
          <button type="submit" className="button primary large" disabled={place.isPending}>
            {place.isPending ? "Placing the order…" : "Place the order"}
          </button>
        </div>
      </aside>
    </form>
  );
}
