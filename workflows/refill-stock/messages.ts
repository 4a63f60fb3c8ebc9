import * as v from "valibot";
import { Quantity } from "#actors/shop/stock/messages.ts";

/** Which products are refilled, and how far. */
export const RefillStock = v.strictObject({
  /** Products with fewer pieces available. */
  below: v.optional(Quantity, 100),
  /** So many are available afterwards. */
  upTo: v.optional(Quantity, 1_000),
});
export type RefillStock = v.InferOutput<typeof RefillStock>;
