/** Where the shop delivers to, as ISO 3166 has them. */
export const COUNTRIES = [
  "AT",
  "BE",
  "CH",
  "DE",
  "DK",
  "ES",
  "FI",
  "FR",
  "GB",
  "IE",
  "IT",
  "NL",
  "PL",
  "PT",
  "SE",
  "US",
];
