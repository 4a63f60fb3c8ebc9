import * as v from "valibot";

/** A stock keeping unit, the key of a stock actor, as in `TEA-1`. */
export const Sku = v.pipe(v.string(), v.regex(/^[A-Z0-9-]{1,32}$/, "must be 1 to 32 of A-Z, 0-9 and hyphen"));

/** Whole pieces. The upper bound keeps every total a safe integer. */
export const Quantity = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));

/** Minor units of a currency, as in `450` for 4.50 EUR. */
export const Price = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000_000));

/** ISO 4217, as in `EUR`. */
export const Currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/, "must be three capital letters"));

/** What a SKU is and costs. */
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

/** `available` is what can still be reserved: `onHand` less `reserved`. */
export const StockLevel = v.object({
  sku: v.string(),
  onHand: v.number(),
  reserved: v.number(),
  available: v.number(),
});
export type StockLevel = v.InferOutput<typeof StockLevel>;

export const Reservation = v.object({ held: v.number() });

export const StockReserved = v.object({
  sku: v.string(),
  orderId: v.string(),
  quantity: v.number(),
  available: v.number(),
});
export const StockReleased = v.object({
  sku: v.string(),
  orderId: v.string(),
  quantity: v.number(),
  available: v.number(),
  /** `released`: the order gave it back. `expired`: nobody confirmed it in time. `restocked`: it came back after confirmation. */
  cause: v.picklist(["released", "expired", "restocked"]),
});
export const StockRefilled = v.object({ sku: v.string(), quantity: v.number(), onHand: v.number() });

/** Events of a stock actor, by wire name. */
export const stockEvents = {
  "stock.reserved.v1": StockReserved,
  "stock.released.v1": StockReleased,
  "stock.refilled.v1": StockRefilled,
};
