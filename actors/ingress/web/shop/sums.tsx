import { money } from "../kit/format.ts";
import { Art } from "./art.tsx";
import type { Charges, Line } from "./types.ts";

/** The lines of an order or invoice, and what they come to. */
export function Sums({
  lines,
  charges,
  total,
  currency,
}: {
  lines: readonly Line[];
  charges?: Charges | undefined;
  total: number;
  currency: string;
}) {
  return (
    <div className="stack">
      <ul className="stack">
        {lines.map(({ sku, name, quantity, price }, i) => (
          <li key={`${sku ?? name}/${i}`} className="basket-line">
            <Art sku={sku ?? ""} name={name} small />
            <div className="grow">
              <div>{name}</div>
              <div className="soft small number">
                {quantity} × {price === null ? "–" : money(price, currency)}
              </div>
            </div>
            <span className="number">{price === null ? "–" : money(price * quantity, currency)}</span>
          </li>
        ))}
      </ul>
      <dl className="sums">
        {charges && (
          <>
            <dt className="soft">Goods</dt>
            <dd className="number">{money(charges.goods, currency)}</dd>
            <dt className="soft">Shipping</dt>
            <dd className="number">{money(charges.shipping, currency)}</dd>
          </>
        )}
        <dt>
          <strong>Total</strong>
        </dt>
        <dd className="number">
          <strong>{money(total, currency)}</strong>
        </dd>
        {charges && (
          <>
            <dt className="soft small">of it tax</dt>
            <dd className="number soft small">{money(charges.tax, currency)}</dd>
          </>
        )}
      </dl>
    </div>
  );
}
