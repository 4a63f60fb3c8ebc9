import * as v from "valibot";
import { Currency, Price } from "../money/messages.ts";

/** A stock keeping unit, the key of a stock actor, as in `TEA-1`. */
export const Sku = v.pipe(v.string(), v.regex(/^[A-Z0-9-]{1,32}$/, "must be 1 to 32 of A-Z, 0-9 and hyphen"));

/** Most pieces of one SKU in an order or a refill. It keeps every total a safe integer. */
export const MAX_QUANTITY = 1_000_000;

/** Whole pieces. */
export const Quantity = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_QUANTITY));

/** What a SKU is and costs. The price holds the tax of the home country. */
export const Product = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  price: Price,
  currency: Currency,
});
export type Product = v.InferOutput<typeof Product>;

export const RefillStock = v.strictObject({ quantity: Quantity });

/** Names the order whose pieces a message is about. */
export const StockOfOrder = v.object({ orderId: v.string() });
/** Pieces of this SKU for one order. */
export const StockForOrder = v.object({ orderId: v.string(), quantity: Quantity });
/** Pieces to hold. With `partial`, fewer where there are not as many: none, too. */
export const ReserveStock = v.object({ ...StockForOrder.entries, partial: v.optional(v.boolean()) });

/** `available` is what can still be reserved: `onHand` less `reserved`. */
export const StockLevel = v.object({
  sku: v.string(),
  onHand: v.number(),
  reserved: v.number(),
  available: v.number(),
});
export type StockLevel = v.InferOutput<typeof StockLevel>;

export const Reservation = v.object({ held: v.number() });

/** How it stands after an event. Absent in events of before. */
const After = { onHand: v.optional(v.number()), reserved: v.optional(v.number()) };
const Pieces = { sku: v.string(), orderId: v.string(), quantity: v.number(), available: v.number(), ...After };

export const StockReserved = v.object(Pieces);
export const StockReleased = v.object({
  ...Pieces,
  /** `released`: the order gave it back. `expired`: nobody confirmed it in time. `restocked`: it came back after confirmation. */
  cause: v.picklist(["released", "expired", "restocked"]),
});
export const StockRefilled = v.object({
  sku: v.string(),
  quantity: v.number(),
  onHand: v.number(),
  reserved: v.optional(v.number()),
});

/** Events of a stock actor, by wire name: its journal. `quantity: 0` of a release says that none will be reserved any more. */
export const stockEvents = {
  "stock.reserved.v1": StockReserved,
  "stock.released.v1": StockReleased,
  "stock.refilled.v1": StockRefilled,
  /** Reserved pieces left the shelf for their order. */
  "stock.confirmed.v1": v.object(Pieces),
  /** They are with the customer, or lost on the way: they do not come back by an undo. */
  "stock.settled.v1": v.object({ sku: v.string(), orderId: v.string(), quantity: v.number() }),
  /** The customer sent pieces back after delivery. */
  "stock.returned.v1": v.object(Pieces),
  /** Name or price changed, or there is a product now. */
  "stock.product-changed.v1": v.object({ sku: v.string(), ...Product.entries }),
};
