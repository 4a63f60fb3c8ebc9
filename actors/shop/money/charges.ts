import type { Address } from "../delivery/messages.ts";
import type { Charges } from "./messages.ts";

/** Where orders without a country go. */
export const HOME = "DE";

/** Standard rates of value added tax, in percent (European Commission, 2026), and of neighbours that tax like them. */
const TAX_PERCENT: Readonly<Record<string, number>> = {
  AT: 20,
  BE: 21,
  BG: 20,
  CH: 8.1,
  CY: 19,
  CZ: 21,
  DE: 19,
  DK: 25,
  EE: 24,
  ES: 21,
  FI: 25.5,
  FR: 20,
  GB: 20,
  GR: 24,
  HR: 25,
  HU: 27,
  IE: 23,
  IT: 22,
  LT: 21,
  LU: 17,
  LV: 21,
  MT: 18,
  NL: 21,
  NO: 25,
  PL: 23,
  PT: 23,
  RO: 21,
  SE: 25,
  SI: 22,
  SK: 23,
};

/** What a parcel costs beyond the home country, in minor units of the order's currency; free where nothing stands here. */
const SHIPPING_ABROAD: Readonly<Record<string, { readonly near: number; readonly far: number }>> = {
  EUR: { near: 990, far: 1_990 },
  GBP: { near: 890, far: 1_690 },
  USD: { near: 1_090, far: 2_190 },
  CHF: { near: 990, far: 1_990 },
  JPY: { near: 1_500, far: 3_200 },
};

/** The country of an address: its field `country` where that is a code of two letters, else the home country. */
export function countryOf(address: Address | null): string {
  const country = typeof address === "object" && address !== null ? address["country"] : undefined;
  return country !== undefined && /^[A-Za-z]{2}$/.test(country) ? country.toUpperCase() : HOME;
}

/**
 * What an order of these goods costs at this address. Prices hold the tax, so `tax` raises nothing: it says how much of
 * the total it is, rounded half up once for the whole order. Countries without a rate here are exports: no tax.
 */
export function chargesOf(goods: number, currency: string, address: Address | null): Charges {
  const country = countryOf(address);
  const taxRate = TAX_PERCENT[country] ?? 0;
  const abroad = country === HOME ? undefined : SHIPPING_ABROAD[currency];
  const shipping = abroad === undefined ? 0 : country in TAX_PERCENT ? abroad.near : abroad.far;
  const tax = Math.round(((goods + shipping) * taxRate) / (100 + taxRate));
  return { goods, shipping, tax, taxRate, country };
}
