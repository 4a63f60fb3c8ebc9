/**
 * Stock: the pieces of one SKU.
 *
 * Owns: the product's name and price, the count on hand, who holds how much of it. Does not own: what an order does
 * with its hold; the saga reserves, confirms, releases and restocks.
 *
 * S1 `available` never drops below zero: only `reserve` lowers it, and it looks first.
 * S2 A hold lives at most 15 minutes: its timer is set in the turn that makes it.
 * S3 A `release` that overtakes its `reserve` leaves a mark until the timer, so that the late `reserve` is refused.
 * S4 The state holds open orders only: confirmed and given-back holds are dropped at once. That a repeated message does
 *    not act twice is the message id's work, not the state's.
 */
import * as v from "valibot";
import { actor } from "#runtime";
import {
  Product,
  RefillStock,
  Reservation,
  Sku,
  StockForOrder,
  StockLevel,
  StockOfOrder,
  stockEvents,
} from "./messages.ts";

/** How long a reservation waits for its confirmation. */
export const HOLD_FOR = "15m";

const Hold = v.variant("kind", [
  v.object({ kind: v.literal("held"), quantity: v.number() }),
  v.object({ kind: v.literal("released") }),
]);

const State = v.object({
  product: v.nullable(Product),
  onHand: v.number(),
  holds: v.record(v.string(), Hold),
});
type State = v.InferOutput<typeof State>;

const timerOf = (orderId: string): string => `expire:${orderId}`;

function reserved(state: Readonly<State>): number {
  let sum = 0;
  for (const hold of Object.values(state.holds)) if (hold.kind === "held") sum += hold.quantity;
  return sum;
}

const available = (state: Readonly<State>): number => state.onHand - reserved(state);

/** The pieces of one SKU, keyed by it. */
export const Stock = actor("stock", {
  key: Sku,
  state: State,
  initial: () => ({ product: null, onHand: 0, holds: {} }),
  emits: stockEvents,
  messages: ({ command, query }) => ({
    /** Sets name and price; the count stays as it is. */
    putProduct: command({ in: Product, out: Product }, (c, product) => (c.state.product = product)),

    /** Adds pieces. Refused with `unknown_sku` before there is a product. */
    refill: command({ in: RefillStock, out: StockLevel }, (c, { quantity }) => {
      c.require(c.state.product, "unknown_sku", { sku: c.key });
      c.state.onHand += quantity;
      c.emit("stock.refilled.v1", { sku: c.key, quantity, onHand: c.state.onHand });
      return levelOf(c.key, c.state);
    }),

    /** Holds pieces for an order, for 15 minutes. Refused with `unknown_sku`, `out_of_stock` or `reservation_released`. */
    reserve: command({ in: StockForOrder, out: Reservation }, (c, { orderId, quantity }) => {
      c.require(c.state.product, "unknown_sku", { sku: c.key });
      const hold = c.state.holds[orderId];
      if (hold?.kind === "held") return { held: hold.quantity };
      c.require(!hold, "reservation_released", { orderId }); // S3
      const free = available(c.state);
      c.require(free >= quantity, "out_of_stock", { sku: c.key, available: free }); // S1
      c.state.holds[orderId] = { kind: "held", quantity };
      c.timers.set(timerOf(orderId), { in: HOLD_FOR, send: "expire", with: { orderId } }); // S2
      c.emit("stock.reserved.v1", { sku: c.key, orderId, quantity, available: free - quantity });
      return { held: quantity };
    }),

    /** Gives a hold back. Without one it only makes sure that none comes later. */
    release: command({ in: StockOfOrder }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      if (hold?.kind === "released") return;
      if (!hold) {
        c.state.holds[orderId] = { kind: "released" }; // S3
        c.timers.set(timerOf(orderId), { in: HOLD_FOR, send: "expire", with: { orderId } });
        return;
      }
      delete c.state.holds[orderId];
      c.timers.cancel(timerOf(orderId));
      c.emit("stock.released.v1", {
        sku: c.key,
        orderId,
        quantity: hold.quantity,
        available: available(c.state),
        cause: "released",
      });
    }),

    /** Takes the held pieces out of the house. Refused with `reservation_expired` when nothing is held. */
    confirm: command({ in: StockOfOrder, out: Reservation }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      if (hold?.kind !== "held") return c.refuse("reservation_expired", { sku: c.key, orderId });
      delete c.state.holds[orderId]; // S4
      c.timers.cancel(timerOf(orderId));
      c.state.onHand -= hold.quantity;
      return { held: hold.quantity };
    }),

    /** Puts confirmed pieces back on the shelf. Call it with an id: it counts up each time. */
    restock: command({ in: StockForOrder }, (c, { orderId, quantity }) => {
      c.state.onHand += quantity;
      c.emit("stock.released.v1", { sku: c.key, orderId, quantity, available: available(c.state), cause: "restocked" });
    }),

    /** The timer's message: the hold has run out, or the mark of S3 has done its work. */
    expire: command({ in: StockOfOrder }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      delete c.state.holds[orderId];
      if (hold?.kind !== "held") return;
      c.emit("stock.released.v1", {
        sku: c.key,
        orderId,
        quantity: hold.quantity,
        available: available(c.state),
        cause: "expired",
      });
    }),

    /** How many there are; `null` for a SKU nobody has put a product on. */
    level: query({ out: v.nullable(StockLevel) }, (c) => (c.state.product ? levelOf(c.key, c.state) : null)),

    /** What it is and costs; `null` for an unknown SKU. */
    product: query({ out: v.nullable(Product) }, (c) => c.state.product),
  }),
});

function levelOf(sku: string, state: Readonly<State>): StockLevel {
  const held = reserved(state);
  return { sku, onHand: state.onHand, reserved: held, available: state.onHand - held };
}
