import * as v from "valibot";
import { OrderStatus } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import type { OrderLists } from "#actors/shop/read-model/orders.ts";
import type { Troupe } from "#runtime";
import type { Finder } from "./find.ts";
import { type Hit, hit, HITS_OF_A_KIND } from "./hit.ts";

/** Fewer letters fit too many orders. */
const LETTERS = 2;
const TROUBLE: ReadonlySet<string> = new Set<OrderStatus>(["rejected", "needs_attention"]);

/** Finds orders: by their id, by a status, or by words of their id, customer, products and address. */
export function orderFinder(troupe: () => Troupe, orders: () => OrderLists): Finder {
  return {
    kinds: ["order"],
    scope: "orders",
    async find({ text, orderIds }) {
      if (orderIds.length > 0) {
        const asked = orderIds.map((id) => troupe().ref(Order, id).get());
        return (await Promise.all(asked)).flatMap((order) => (order === null ? [] : [whole(order)]));
      }
      if (text.length < LETTERS) return [];
      const status = text.toLowerCase().replaceAll(" ", "_");
      const wanted = v.is(OrderStatus, status) ? { status } : { text };
      const listed = await orders().page({ ...wanted, limit: HITS_OF_A_KIND });
      return listed.map(({ orderId, customerId, reason, placedAt, ...order }) =>
        orderHit(orderId, customerId, order.status, reason, placedAt),
      );
    },
  };
}

/** An order as its actor shows it, as far as it is told here. */
interface KnownOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly status: OrderStatus;
  readonly reason?: string | undefined;
  readonly undoFailures?: readonly { readonly undo: string; readonly reason: string }[] | undefined;
  readonly history: readonly { readonly at: string }[];
}

function whole({ orderId, customerId, status, reason, undoFailures = [], history }: KnownOrder): Hit {
  const [refused] = undoFailures;
  const why = refused === undefined ? reason : `${refused.undo} was refused: ${refused.reason}`;
  return orderHit(orderId, customerId, status, why, history.at(-1)?.at);
}

function orderHit(
  id: string,
  customerId: string,
  status: OrderStatus,
  reason: string | undefined,
  at: string | undefined,
): Hit {
  const why = reason?.replaceAll("_", " ");
  return hit({
    ...{ kind: "order", id, status, at: at ?? null, title: `Order of ${customerId}` },
    detail: why === undefined ? null : why,
    failed: TROUBLE.has(status),
    page: `/shop/orders/${id}`,
    api: `/orders/${id}`,
  });
}
