/** Whether a topic exchange would route `key` to a queue bound with `pattern`: `*` is one word, `#` any number of them. */
export function matchesTopic(pattern: string, key: string): boolean {
  return matches(pattern.split("."), key.split("."));
}

function matches([first, ...rest]: readonly string[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0;
  if (first === "#") return words.some((_, i) => matches(rest, words.slice(i))) || matches(rest, []);
  return words.length > 0 && (first === "*" || first === words[0]) && matches(rest, words.slice(1));
}
