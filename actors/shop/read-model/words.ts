const WORD = /[\p{L}\p{N}]+/gu;

/** The words of a text, lower case, each once: what orders are found by. */
export function wordsOf(text: string): readonly string[] {
  return [...new Set(text.toLowerCase().match(WORD) ?? [])];
}

/** The query for all words of a text, each from its beginning; `undefined` where there is no word in it. */
export function wordQuery(text: string): string | undefined {
  const words = wordsOf(text);
  return words.length === 0 ? undefined : words.map((word) => `'${word}':*`).join(" & ");
}
