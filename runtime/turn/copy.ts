/**
 * A copy in depth of a value as JSON has it: plain objects, lists, and what they hold. `undefined` where there is anything
 * else in it.
 */
export function copyJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const copy = value.slice() as unknown[];
    for (let i = 0; i < copy.length; i++) {
      const item = copy[i];
      if (typeof item === "object" && item !== null && (copy[i] = copyJson(item)) === undefined) return undefined;
    }
    return copy;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const copy: Record<string, unknown> = { ...value };
  for (const name in copy) {
    const item = copy[name];
    if (typeof item === "object" && item !== null && (copy[name] = copyJson(item)) === undefined) return undefined;
  }
  return copy;
}
