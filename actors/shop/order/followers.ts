import type { DeepReadonly } from "#runtime";
import type { OrderState } from "./history.ts";
import type { OrderChanged, OrderMarked, OrderStatus } from "./messages.ts";
import { isPast } from "./status.ts";

/** What the marks of an order need of its turn. */
export interface OrderTurn {
  readonly key: string;
  readonly now: number;
  readonly exists: boolean;
  readonly state: DeepReadonly<OrderState>;
  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void;
  broadcast(topic: string, type: string, data: unknown): void;
}

/** Whether the order is still to come to `next` (O1). If it is, its followers are told, as it will have come there. */
export function comesTo(c: OrderTurn, next: OrderStatus, reason?: string, lost = false): boolean {
  c.require(c.exists, "unknown_order");
  if (isPast(c.state.status, next, lost)) return false;
  tellStatus(c, next, reason);
  return true;
}

/** Tells those who follow `orders` and the order its status. */
export function tellStatus(c: OrderTurn, status: OrderStatus, reason?: string): void {
  const at = new Date(c.now).toISOString();
  const change: OrderChanged = { orderId: c.key, status, at, ...(reason === undefined ? {} : { reason }) };
  c.broadcast(`orders/${c.key}`, "order.changed", change);
  c.broadcast("orders", "order.changed", change);
}

/** Tells those who follow the order something other than its status, as in `order.decision-asked`. */
export function tellDetail(c: OrderTurn, type: string, data: Readonly<Record<string, unknown>>): void {
  c.broadcast(`orders/${c.key}`, type, { orderId: c.key, at: new Date(c.now).toISOString(), ...data });
}

/** What the saga is told after each mark. */
export function marked(state: DeepReadonly<OrderState>): OrderMarked {
  return { status: state.status, cancelRequested: state.cancelRequestedAt !== null };
}

/** What every event tells of the order, at the status it brings. */
export function fact({ key, state: { customerId, total, currency } }: OrderTurn, status: OrderStatus) {
  return { orderId: key, customerId, status, total, currency };
}
