/**
 * A value as JSON text. What JSON has no word for and would change in silence is refused: `NaN` and the infinities, which
 * become `null`, and `undefined` in a list.
 *
 * @param what it is, for the error: `the state of order/ord_42`.
 * @throws {TypeError} naming the place, as a JSON pointer.
 */
export function exactJson(value: unknown, what: string): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  if (mayHaveLost(text)) refuseLost(value, "", what);
  return text;
}

/** As {@link exactJson}, for a value that needs no second look; `undefined` for one that does, and for what JSON leaves out. */
export function plainJson(value: unknown): string | undefined {
  // A number as a text is its JSON, and costs a fraction of it.
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  const text = JSON.stringify(value) as string | undefined;
  return typeof value === "object" && mayHaveLost(text) ? undefined : text;
}

/** Whatever is lost shows as `null`: a text without one needs no second look. */
function mayHaveLost(text: string | undefined): boolean {
  return text?.includes("null") === true;
}

function refuseLost(value: unknown, path: string, what: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`Cannot keep ${what} as JSON has no ${value}, which is at ${path || "/"}`);
  }
  if (typeof value !== "object" || value === null || "toJSON" in value) return;
  if (Array.isArray(value)) {
    value.forEach((item: unknown, i) => {
      if (item === undefined)
        throw new TypeError(`Cannot keep ${what} as JSON has no undefined, which is at ${path}/${i}`);
      refuseLost(item, `${path}/${i}`, what);
    });
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    refuseLost(item, `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, what);
  }
}
