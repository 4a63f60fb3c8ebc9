import { expect, test } from "bun:test";
import * as v from "valibot";
import { chargesOf, countryOf } from "./charges.ts";
import { formatMoney, minorDigits } from "./currency.ts";
import { Currency } from "./messages.ts";

test("minorDigits() knows the digits of each currency, so that no amount is divided by 100 by habit", () => {
  expect(["EUR", "JPY", "KWD", "CLP"].map(minorDigits)).toEqual([2, 0, 3, 0]);
  expect([formatMoney(1250, "EUR"), formatMoney(1250, "JPY"), formatMoney(1250, "KWD").replace(/\s/, " ")]).toEqual([
    "€12.50",
    "¥1,250",
    "KWD 1.250",
  ]);
});

test("Currency takes codes of ISO 4217 alone", () => {
  expect(["EUR", "JPY", "USD"].every((code) => v.is(Currency, code))).toBe(true);
  expect(["eur", "EURO", "QQQ", ""].some((code) => v.is(Currency, code))).toBe(false);
});

test("chargesOf() finds the tax inside the total by country, and charges shipping beyond the home country alone", () => {
  expect(chargesOf(11_900, "EUR", null)).toEqual({
    goods: 11_900,
    shipping: 0,
    tax: 1_900,
    taxRate: 19,
    country: "DE",
  });
  expect(chargesOf(10_000, "EUR", { street: "Rue 1", country: "fr" })).toEqual({
    goods: 10_000,
    shipping: 990,
    tax: 1_832,
    taxRate: 20,
    country: "FR",
  });
  expect(chargesOf(10_000, "USD", { country: "US" })).toMatchObject({ shipping: 2_190, tax: 0, taxRate: 0 });
  expect(chargesOf(1_000, "JPY", { country: "AT" })).toMatchObject({ shipping: 1_500, tax: 417 });
});

test("countryOf() takes an address as it is written: free text and unknown words are the home country", () => {
  expect(["Main Street 1", null, { country: "Germany" }, { city: "Ulm" }].map((address) => countryOf(address))).toEqual(
    ["DE", "DE", "DE", "DE"],
  );
});
