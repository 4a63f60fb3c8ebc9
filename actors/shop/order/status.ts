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
  needs_attention: 6,
  returned: 7,
};

/** Whether an order in this status never changes again, but for a return of a delivered one. */
export function isFinal(status: OrderStatus): boolean {
  return status === "delivered" || status === "rejected" || status === "cancelled" || status === "returned";
}

/**
 * Whether an order in `current` is at `next`, past it, or ended another way: then `next` is no news.
 *
 * Two statuses lead back: `needs_attention` to the end that waits for its undo, and `shipped` to `cancelled` or `rejected`
 * where `lost` says that the parcel will never arrive.
 */
export function isPast(current: OrderStatus, next: OrderStatus, lost = false): boolean {
  if (current === next) return true;
  if (current === "needs_attention") return next !== "rejected" && next !== "cancelled" && next !== "returned";
  if (current === "delivered") return next !== "returned" && next !== "needs_attention";
  if (isFinal(current)) return true;
  if (lost && current === "shipped" && (next === "cancelled" || next === "rejected")) return false;
  return RANK[current] >= RANK[next];
}
