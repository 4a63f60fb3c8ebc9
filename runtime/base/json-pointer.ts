/** The JSON pointer (RFC 6901) of a place: the keys from the root, as in `/lines/0/sku`; `""` is the root itself. */
export function pointerOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${stepOf(String(key))}`).join("");
}

/** A key as one step of a JSON pointer, without the slash before it. */
export function stepOf(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The key that a step of a JSON pointer stands for. */
export function keyOf(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}
