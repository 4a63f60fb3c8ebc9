import type { DeepReadonly } from "#runtime";
import type { CustomerTerms } from "../customer/messages.ts";
import type { Address } from "../delivery/messages.ts";
import { chargesOf } from "../money/charges.ts";
import { type Charges, MAX_TOTAL } from "../money/messages.ts";
import type { OrderLine } from "./messages.ts";
import type { PricedLines } from "./pricing.ts";

/** An order as it is about to be placed. */
export interface PricedOrder {
  readonly lines: OrderLine[];
  readonly total: number;
  readonly currency: string;
  readonly charges: Charges;
}

/** Why an order cannot be placed: a reason with what it is about. */
export interface Objection {
  readonly reason: "mixed_currencies" | "total_too_large" | "over_order_limit" | "too_many_open_orders";
  readonly data: Readonly<Record<string, unknown>>;
}

/** Adds shipping and tax to priced lines, and says what stands against the order, if anything does. */
export function priceOrder(
  { lines, goods, currencies }: PricedLines,
  address: Address | null,
  { limits, openOrders }: DeepReadonly<Pick<CustomerTerms, "limits" | "openOrders">>,
): { readonly order: PricedOrder; readonly objection: Objection | undefined } {
  const currency = currencies[0] ?? "EUR";
  const charges = chargesOf(Math.min(goods, MAX_TOTAL), currency, address);
  const total = charges.goods + charges.shipping;
  const order = { lines, total, currency, charges };
  return { order, objection: objectionTo() };

  function objectionTo(): Objection | undefined {
    if (currencies.length > 1) return { reason: "mixed_currencies", data: { currencies } };
    if (goods > MAX_TOTAL || total > MAX_TOTAL) return { reason: "total_too_large", data: { max: MAX_TOTAL } };
    const { maxOrderTotal, maxOpenOrders } = limits;
    if (maxOrderTotal !== null && currency === limits.currency && total > maxOrderTotal)
      return { reason: "over_order_limit", data: { total, max: maxOrderTotal } };
    if (maxOpenOrders !== null && openOrders >= maxOpenOrders)
      return { reason: "too_many_open_orders", data: { open: openOrders, max: maxOpenOrders } };
    return undefined;
  }
}

/** The charges of an order of which only a part is there. Shipping stays as it was agreed. */
export function chargesOfPart(goods: number, before: DeepReadonly<Charges> | undefined): Charges {
  const { shipping = 0, taxRate = 0, country = "DE" } = before ?? {};
  return { goods, shipping, tax: Math.round(((goods + shipping) * taxRate) / (100 + taxRate)), taxRate, country };
}
