import type { OrderStatus } from "./messages.ts";

const RANK: Readonly<Record<OrderStatus, number>> = {
  placed: 0,
  reserved: 1,
  paid: 2,
  shipped: 3,
  delivered: 4,
  rejected: 5,
  cancelled: 5,
};

/** Whether an order in this status never changes again. */
export function isFinal(status: OrderStatus): boolean {
  return status === "delivered" || status === "rejected" || status === "cancelled";
}

/** Whether an order in `current` is at `next`, or past it, or ended another way: then `next` is no news. */
export function isPast(current: OrderStatus, next: OrderStatus): boolean {
  return isFinal(current) || RANK[current] >= RANK[next];
}
