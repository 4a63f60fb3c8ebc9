/**
 * Stock: the pieces of one SKU.
 *
 * Owns: the product's name and price, the count on hand, who holds how much of it. Does not own: what an order does
 * with its hold; the saga reserves, confirms, gives back and settles.
 *
 * | an order's hold | exits |
 * |---|---|
 * | none | held (`reserve`), released (`giveBack`), returned (`takeReturn`, for 30 days) |
 * | held | confirmed (`confirm`), released (`giveBack`), none (15 minutes without either) |
 * | confirmed | released (`giveBack`: back on the shelf), none (`settle`: gone for good) |
 * | released | none, after 15 minutes |
 *
 * S1 `available` never drops below zero: only `reserve` lowers it, and it looks first.
 * S2 A hold lives at most 15 minutes after its last `reserve`: the timer is set in the turn that makes it.
 * S3 A `giveBack` leaves a mark until the timer, so that a `reserve` that comes late, or again, is refused: a step whose
 *    answer nobody waits for any more may still be on its way.
 * S4 Every command is idempotent by the order's hold, not by its message id: ids are forgotten after a day, a hold is not.
 * S5 `onHand` + shipped = refilled, at every moment: pieces only move.
 */
import * as v from "valibot";
import { actor, type DeepReadonly, type JournaledTurnContext } from "#runtime";
import { applyStockEvent, levelOf, StockState } from "./levels.ts";
import {
  Product,
  RefillStock,
  Reservation,
  ReserveStock,
  Sku,
  StockForOrder,
  StockLevel,
  StockOfOrder,
  stockEvents,
} from "./messages.ts";

/** How long a reservation waits for its confirmation. */
export const HOLD_FOR = "15m";
/** How long a repeated return is known. */
const RETURN_KNOWN_FOR = "30d";

const timerOf = (orderId: string): string => `expire:${orderId}`;

type Turn = JournaledTurnContext<StockState, typeof stockEvents>;

/** The pieces of one SKU, keyed by it. */
export const Stock = actor("stock", {
  key: Sku,
  state: StockState,
  initial: (): StockState => ({ product: null, onHand: 0, holds: {} }),
  journal: true,
  emits: stockEvents,
  apply: applyStockEvent,
  messages: ({ command, query }) => ({
    /** Sets name and price; the count stays as it is. */
    putProduct: command({ in: Product, out: Product }, (c, product) => {
      const { product: old } = c.state;
      const same = old !== null && old.name === product.name && old.price === product.price;
      if (!same || old.currency !== product.currency) c.emit("stock.product-changed.v1", { sku: c.key, ...product });
      return product;
    }),

    /** Adds pieces. Refused with `unknown_sku` before there is a product. */
    refill: command({ in: RefillStock, out: StockLevel }, (c, { quantity }) => {
      c.require(c.state.product, "unknown_sku", { sku: c.key });
      const { onHand, reserved } = levelOf(c.key, c.state);
      c.emit("stock.refilled.v1", { sku: c.key, quantity, onHand: onHand + quantity, reserved });
      return tell(c);
    }),

    /**
     * Holds pieces for an order, for 15 minutes from now; asked again, it holds what is missing. With `partial`, as many
     * as there are. Refused with `unknown_sku`, `out_of_stock`, `reservation_released`, `already_confirmed`.
     */
    reserve: command({ in: ReserveStock, out: Reservation }, (c, { orderId, quantity, partial }) => {
      c.require(c.state.product, "unknown_sku", { sku: c.key });
      const hold = c.state.holds[orderId];
      c.require(hold?.kind !== "released" && hold?.kind !== "returned", "reservation_released", { orderId }); // Stock.S3
      c.require(hold?.kind !== "confirmed", "already_confirmed", { orderId });
      const held = hold?.kind === "held" ? hold.quantity : 0;
      const { onHand, reserved, available } = levelOf(c.key, c.state);
      const missing = Math.max(0, quantity - held);
      c.require(partial === true || missing <= available, "out_of_stock", { sku: c.key, available: held + available }); // Stock.S1
      const more = Math.min(missing, available);
      if (more > 0) {
        const after = { available: available - more, onHand, reserved: reserved + more };
        c.emit("stock.reserved.v1", { sku: c.key, orderId, quantity: more, ...after });
        tell(c);
      }
      if (held + more > 0) c.timers.set(timerOf(orderId), { in: HOLD_FOR, send: "expire", with: { orderId } }); // Stock.S2
      return { held: held + more };
    }),

    /**
     * The undo of `reserve` and `confirm`: pieces that are held are free again, pieces that left the shelf are back on it.
     * It makes sure that none are held later, where there are none, too.
     */
    giveBack: command({ in: StockOfOrder }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      if (hold?.kind === "released" || hold?.kind === "returned") return;
      release(c, orderId, hold?.quantity ?? 0, hold?.kind === "confirmed" ? "restocked" : "released"); // Stock.S3
      c.timers.set(timerOf(orderId), { in: HOLD_FOR, send: "expire", with: { orderId } });
    }),

    /**
     * Takes the held pieces off the shelf. Repeated, the same answer.
     * Refused with `reservation_expired` when nothing is held.
     */
    confirm: command({ in: StockOfOrder, out: Reservation }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      if (hold?.kind === "confirmed") return { held: hold.quantity }; // Stock.S4
      if (hold?.kind !== "held") return c.refuse("reservation_expired", { sku: c.key, orderId });
      const { quantity } = hold;
      const { onHand, reserved, available } = levelOf(c.key, c.state);
      const after = { available, onHand: onHand - quantity, reserved: reserved - quantity };
      c.timers.cancel(timerOf(orderId));
      c.emit("stock.confirmed.v1", { sku: c.key, orderId, quantity, ...after });
      tell(c);
      return { held: quantity };
    }),

    /** The order's pieces are gone for good: delivered, or lost. Its hold is forgotten. Repeated, it changes nothing. */
    settle: command({ in: StockOfOrder }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      if (hold?.kind === "confirmed") c.emit("stock.settled.v1", { sku: c.key, orderId, quantity: hold.quantity });
      if (hold?.kind !== "held") return;
      release(c, orderId, hold.quantity, "expired"); // of an order that is over: these never left the shelf
      c.timers.cancel(timerOf(orderId));
    }),

    /** The customer sent the pieces of a delivered order back. Repeated within 30 days, it changes nothing. */
    takeReturn: command({ in: StockForOrder }, (c, { orderId, quantity }) => {
      if (c.state.holds[orderId]?.kind === "returned") return;
      const { onHand, reserved, available } = levelOf(c.key, c.state);
      const after = { available: available + quantity, onHand: onHand + quantity, reserved };
      c.emit("stock.returned.v1", { sku: c.key, orderId, quantity, ...after });
      c.timers.set(timerOf(orderId), { in: RETURN_KNOWN_FOR, send: "expire", with: { orderId } });
      tell(c);
    }),

    /** The timer's message: the hold has run out, or the mark of Stock.S3 or of a return has done its work. */
    expire: command({ in: StockOfOrder }, (c, { orderId }) => {
      const hold = c.state.holds[orderId];
      if (hold === undefined || hold.kind === "confirmed") return;
      release(c, orderId, hold.kind === "held" ? hold.quantity : 0, "expired");
    }),

    /** How many there are; `null` for a SKU nobody has put a product on. */
    level: query({ out: v.nullable(StockLevel) }, (c) => (c.state.product ? levelOf(c.key, c.state) : null)),

    /** What it is and costs; `null` for an unknown SKU. */
    product: query({ out: v.nullable(Product) }, (c) => c.state.product),

    /** What is known of Stock.S5, and which orders hold pieces: for the auditor. */
    books: query(
      { out: v.object({ onHand: v.number(), shipped: v.number(), refilled: v.number(), held: v.array(v.string()) }) },
      ({ state }) => booksOf(state),
    ),
  }),
});

function release(c: Turn, orderId: string, quantity: number, cause: "released" | "expired" | "restocked"): void {
  const { onHand, reserved, available } = levelOf(c.key, c.state);
  const back = cause === "restocked" ? quantity : 0;
  const after = {
    available: available + quantity,
    onHand: onHand + back,
    reserved: cause === "restocked" ? reserved : reserved - quantity,
  };
  c.emit("stock.released.v1", { sku: c.key, orderId, quantity, ...after, cause });
  if (quantity > 0) tell(c);
}

/** Tells those who follow `stock` and `stock/<sku>` the counts as they are now. */
function tell(c: Turn): StockLevel {
  const level = levelOf(c.key, c.state);
  c.broadcast(`stock/${c.key}`, "stock.changed", level);
  c.broadcast("stock", "stock.changed", level);
  return level;
}

function booksOf({ onHand, shipped = 0, refilled, holds }: DeepReadonly<StockState>) {
  const held = Object.entries(holds).flatMap(([orderId, hold]) => (hold.kind === "held" ? [orderId] : []));
  return { onHand, shipped, refilled: refilled ?? onHand + shipped, held };
}
