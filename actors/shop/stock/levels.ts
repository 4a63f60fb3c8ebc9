import * as v from "valibot";
import type { Apply, DeepReadonly } from "#runtime";
import { Product, type stockEvents, type StockLevel } from "./messages.ts";

/** What an order has of a SKU. */
export const Hold = v.variant("kind", [
  /** On the shelf, and nobody else's. */
  v.object({ kind: v.literal("held"), quantity: v.number() }),
  /** On its way to the customer; an undo brings it back. */
  v.object({ kind: v.literal("confirmed"), quantity: v.number() }),
  /** Given back: a reservation that comes late, or again, is refused. */
  v.object({ kind: v.literal("released") }),
  /** Sent back after delivery: the same return again changes nothing. */
  v.object({ kind: v.literal("returned") }),
]);

/** The pieces of one SKU. `onHand` holds the reserved ones; what left the shelf counts in `shipped`. */
export const StockState = v.object({
  product: v.nullable(Product),
  onHand: v.number(),
  /** Pieces that left the shelf and did not come back. Absent in stocks stored before they were counted. */
  shipped: v.optional(v.number()),
  /** Pieces that were ever put on the shelf from outside. */
  refilled: v.optional(v.number()),
  /** Pieces that are held: the sum over `holds`. */
  reserved: v.optional(v.number()),
  holds: v.record(v.string(), Hold),
});
export type StockState = v.InferOutput<typeof StockState>;

/** What each event does to a stock. */
export const applyStockEvent: Apply<StockState, typeof stockEvents> = {
  "stock.product-changed.v1": (state, { sku: _, ...product }) => void (state.product = product),
  "stock.refilled.v1": (state, { quantity }) => {
    state.refilled = refilledOf(state) + quantity;
    state.onHand += quantity;
  },
  "stock.reserved.v1": (state, { orderId, quantity }) => {
    const hold = state.holds[orderId];
    state.reserved = reservedOf(state) + quantity;
    state.holds[orderId] = { kind: "held", quantity: quantity + (hold?.kind === "held" ? hold.quantity : 0) };
  },
  "stock.released.v1": (state, { orderId, quantity, cause }) => {
    if (cause === "restocked") leave(state, -quantity);
    else state.reserved = reservedOf(state) - quantity;
    if (cause === "expired") delete state.holds[orderId];
    else state.holds[orderId] = { kind: "released" };
  },
  "stock.confirmed.v1": (state, { orderId, quantity }) => {
    leave(state, quantity);
    state.reserved = reservedOf(state) - quantity;
    state.holds[orderId] = { kind: "confirmed", quantity };
  },
  "stock.settled.v1": (state, { orderId }) => void delete state.holds[orderId],
  "stock.returned.v1": (state, { orderId, quantity }) => {
    leave(state, -quantity);
    state.holds[orderId] = { kind: "returned" };
  },
};

/** Moves pieces from the shelf to the customers, or back. The sum of both is what was refilled. */
function leave(state: StockState, quantity: number): void {
  state.refilled = refilledOf(state);
  state.shipped = (state.shipped ?? 0) + quantity;
  state.onHand -= quantity;
}

/** Of a stock stored before refills were counted: what is there now. */
function refilledOf({ refilled, onHand, shipped = 0 }: StockState): number {
  return refilled ?? onHand + shipped;
}

/** Pieces that are held. */
export function reservedOf({ reserved, holds }: DeepReadonly<StockState>): number {
  if (reserved !== undefined) return reserved;
  let sum = 0;
  for (const hold of Object.values(holds)) if (hold.kind === "held") sum += hold.quantity;
  return sum;
}

/** The counts as they are shown. */
export function levelOf(sku: string, state: DeepReadonly<StockState>): StockLevel {
  const reserved = reservedOf(state);
  return { sku, onHand: state.onHand, reserved, available: state.onHand - reserved };
}
