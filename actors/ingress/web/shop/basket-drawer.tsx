import { Minus, Plus, ShoppingBag } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { Dialog } from "../kit/dialog.tsx";
import { Empty } from "../kit/feedback.tsx";
import { money, plural } from "../kit/format.ts";
import { Art } from "./art.tsx";
import { type BasketLine, setPieces, useBasket, usePieces } from "./basket.ts";

/** The basket: its count in the head of every page, its lines in a drawer. */
export function BasketButton() {
  const [open, setOpen] = useState(false);
  const [, go] = useLocation();
  const pieces = usePieces();
  const { lines, total, currency } = useBasket();
  return (
    <>
      <button
        type="button"
        className="button quiet counted"
        aria-label={`Basket, ${plural(pieces, "piece")}`}
        onClick={() => setOpen(true)}
      >
        <ShoppingBag size={18} aria-hidden="true" />
        {pieces > 0 && <span className="badge number">{pieces}</span>}
      </button>
      <Dialog
        title="Basket"
        kind="drawer"
        open={open}
        onClose={() => setOpen(false)}
        foot={
          lines.length > 0 && (
            <button
              type="button"
              className="button primary large grow"
              onClick={() => {
                setOpen(false);
                go("/shop/checkout");
              }}
            >
              Check out · {money(total, currency)}
            </button>
          )
        }
      >
        {lines.length === 0 ? (
          <Empty title="The basket is empty">What you add on the products page lands here.</Empty>
        ) : (
          <ul className="stack">
            {lines.map((line) => (
              <Pieces key={line.product.sku} line={line} />
            ))}
          </ul>
        )}
      </Dialog>
    </>
  );
}

/** A line of the basket, with how many of it. */
export function Pieces({ line: { product, quantity } }: { line: BasketLine }) {
  const { sku, name, price, currency } = product;
  return (
    <li className="basket-line">
      <Art sku={sku} name={name} small />
      <div className="grow">
        <div>{name}</div>
        <div className="soft small number">{money(price * quantity, currency)}</div>
      </div>
      <div className="counter">
        <button type="button" aria-label={`One ${name} less`} onClick={() => setPieces(sku, (n) => n - 1)}>
          <Minus size={14} />
        </button>
        <span className="number" aria-label={`${quantity} pieces`} role="status">
          {quantity}
        </span>
        <button type="button" aria-label={`One ${name} more`} onClick={() => setPieces(sku, (n) => n + 1)}>
          <Plus size={14} />
        </button>
      </div>
    </li>
  );
}
