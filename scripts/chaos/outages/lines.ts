/** What is asked of the app while things go wrong. */
import { POSTED_TYPE } from "./events.ts";
import type { Line } from "./load.ts";

/** Events to the gateway: each line is a subject, whose events count up. */
export function eventLines(count: number, padding: string): Line[] {
  return Array.from({ length: count }, (_, i): Line => {
    const key = `key-${i}`;
    return {
      next(n) {
        const id = `${key}-${n}`;
        const body = { type: POSTED_TYPE, id, subject: key, data: { key, n, padding } };
        return { request: { method: "POST", path: "/events", body }, posted: { stream: "events", key, n, id } };
      },
    };
  });
}

/** Orders, each a key of its own, which only the answer tells. */
export function orderLines(count: number): Line[] {
  return Array.from({ length: count }, (_, i): Line => ({
    next: (n) => ({
      request: {
        method: "POST",
        path: "/orders",
        body: { amount: 100 + n, customerId: `customer-${i}` },
        headers: { "idempotency-key": `order-${i}-${n}` },
      },
      posted: (answer) => ({ stream: "orders", key: (answer as { readonly orderId: string }).orderId, n: 1 }),
    }),
  }));
}

/** The product of a line of refills. */
export function skuOf(line: number): string {
  return `CHAOS-${line}`;
}

/** Refills of products: the quantity is what counts up. */
export function refillLines(count: number): Line[] {
  return Array.from({ length: count }, (_, i): Line => ({
    next: (n) => ({
      request: {
        method: "POST",
        path: `/stock/${skuOf(i)}/refill`,
        body: { quantity: n },
        headers: { "idempotency-key": `refill-${i}-${n}` },
      },
      posted: { stream: "refills", key: skuOf(i), n },
    }),
  }));
}
