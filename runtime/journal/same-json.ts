/** Whether `text`, parsed, is `value` as JSON would keep it; members in any order. `undefined` equals only itself. */
export function sameJson(text: string | undefined, value: unknown): boolean {
  const kept = value === undefined ? undefined : JSON.stringify(value);
  if (text === undefined || kept === undefined) return text === kept;
  return text === kept || same(JSON.parse(text), JSON.parse(kept));
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && same(Reflect.get(a, name), Reflect.get(b, name)));
}
