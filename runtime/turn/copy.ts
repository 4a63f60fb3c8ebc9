/**
 * A copy in depth of a value as JSON has it: plain objects, lists, and what they hold. `undefined` where there is anything
 * else in it, or a name that cannot be written as others are. It runs in every turn, so it is written for speed.
 */
export function copyJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? copyList(value) : copyObject(value as Record<string, unknown>);
}

function copyList(list: readonly unknown[]): readonly unknown[] | undefined {
  const copy = list.slice();
  for (let i = 0; i < copy.length; i++) {
    const item = copy[i];
    if (typeof item === "object" && item !== null && (copy[i] = copyJson(item)) === undefined) return undefined;
  }
  return copy;
}

function copyObject(object: Record<string, unknown>): Record<string, unknown> | undefined {
  if (Object.getPrototypeOf(object) !== Object.prototype) return undefined;
  const copy: Record<string, unknown> = {};
  for (const name in object) {
    if (name === "__proto__") return undefined;
    const item = object[name];
    if (typeof item !== "object" || item === null) copy[name] = item;
    else if ((copy[name] = copyJson(item)) === undefined) return undefined;
  }
  return copy;
}
