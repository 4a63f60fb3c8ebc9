const DIGITS = new Map<string, number>();

/** How many digits a currency has behind its point: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  let digits = DIGITS.get(currency);
  if (digits === undefined) {
    digits = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
    DIGITS.set(currency, digits);
  }
  return digits;
}

/** An amount for people: `formatMoney(1250, "EUR")` is `€12.50`, `formatMoney(1250, "JPY")` is `¥1,250`. */
export function formatMoney(minor: number, currency: string, locale = "en"): string {
  const amount = minor / 10 ** minorDigits(currency);
  return new Intl.NumberFormat(locale, { style: "currency", currency }).format(amount);
}
