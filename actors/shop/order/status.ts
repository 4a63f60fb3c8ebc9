import type { OrderStatus } from "./messages.ts";

/** Rejection and cancel come before `shipped`, the point of no return. */
const RANK: Readonly<Record<OrderStatus, number>> = {
  placed: 0,
  reserved: 1,
  paid: 2,
  rejected: 3,
  cancelled: 3,
  shipped: 4,
  delivered: 5,
};

/** Whether an order in this status never changes again. */
export function isFinal(status: OrderStatus): boolean {
  return status === "delivered" || status === "rejected" || status === "cancelled";
}

/** Whether an order in `current` is at `next`, past it, or ended another way: then `next` is no news. */
export function isPast(current: OrderStatus, next: OrderStatus): boolean {
  return isFinal(current) || RANK[current] >= RANK[next];
}
