import * as v from "valibot";

const CODES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** A currency of ISO 4217, as in `EUR`. */
export const Currency = v.pipe(
  v.string(),
  v.regex(/^[A-Z]{3}$/, "must be three capital letters"),
  v.check((code) => CODES.has(code), "must be a currency of ISO 4217, as in EUR"),
);

/** Minor units of a currency: `450` is 4.50 EUR, 450 JPY and 0.450 KWD. */
export const Price = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000_000));

/**
 * The largest total of an order, in minor units: what payment providers take at once. It is far below the safe integers,
 * so that sums of many orders stay exact.
 */
export const MAX_TOTAL = 1_000_000_000;

/** A country of ISO 3166-1 alpha-2, as in `DE`. */
export const Country = v.pipe(v.string(), v.regex(/^[A-Z]{2}$/, "must be two capital letters, as in DE"));

/** What an order costs beside its lines. Prices hold the tax: `tax` is the part of the total that goes to the state. */
export const Charges = v.object({
  /** What the lines cost together. */
  goods: v.number(),
  shipping: v.number(),
  /** The part of `goods` and `shipping` that is tax. */
  tax: v.number(),
  /** In percent, as in `19`. */
  taxRate: v.number(),
  country: v.string(),
});
export type Charges = v.InferOutput<typeof Charges>;
