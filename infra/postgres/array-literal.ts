/**
 * A Postgres array literal (`{"a","b",null,1}`) of texts, numbers and nulls, to be sent as one text parameter.
 *
 * Made by the native JSON writer, which is several times faster than escaping element by element: for text without
 * control characters JSON's quoting is the array syntax's quoting (`\"` and `\\`). Other escapes mean another thing to
 * Postgres, so a list that needs one is written element by element.
 */
export function arrayLiteral(values: readonly (string | number | null)[]): string {
  const inner = JSON.stringify(values).slice(1, -1);
  // Most columns hold no backslash at all, and looking for one is far cheaper than the full check.
  if (!inner.includes("\\") || SAME_IN_BOTH.test(inner)) return `{${inner}}`;
  return `{${values.map(element).join(",")}}`;
}

const SAME_IN_BOTH = /^(?:[^\\]|\\["\\])*$/;

function element(value: string | number | null): string {
  if (typeof value !== "string") return String(value);
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
