import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { Auditor } from "#actors/shop/auditor/auditor.ts";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { Invoice } from "#actors/shop/invoice/invoice.ts";
import { Order } from "#actors/shop/order/order.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { type AnyActorType, eventNoun } from "#runtime";

/** The types of the actors that emit events, and what those are about, as in `order` of `order.placed.v1`. */
export function nounsOf(actors: readonly AnyActorType[]): ReadonlySet<string> {
  const emitting = actors.filter(({ options }) => Object.keys(options.emits ?? {}).length > 0);
  return new Set(
    emitting.flatMap(({ type, options }) => [type, ...Object.keys(options.emits ?? {}).map((name) => eventNoun(name))]),
  );
}

/** Those of this app: a test holds that none is forgotten. */
export const OWN_NOUNS: ReadonlySet<string> = nounsOf([
  Order,
  Stock,
  Payment,
  Delivery,
  Invoice,
  Auditor,
  Service,
  Scaler,
]);
