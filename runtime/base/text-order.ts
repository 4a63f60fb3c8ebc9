/**
 * Compares as databases compare bytes: by code point, which is the order of UTF-8. JavaScript's own `<` puts an emoji
 * before U+FFFD, and a page of keys would begin elsewhere than the one before it ended.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Half of a surrogate pair stands for a code point above all that need one unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
