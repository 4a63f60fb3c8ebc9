const TOKEN = /\*\*|\*|\{([^}]*)\}|<([a-z]+)>|[^*{<]+/gu;

/**
 * Compiles patterns of the rule tables into one test over as many paths. A `<word>` that several patterns share must
 * stand for the same name in all of them.
 *
 * @example
 * ```ts
 * pattern("actors/<own>/**", "actors/<own>/**")("actors/order/order.ts", "actors/stock/stock.ts"); // false
 * ```
 */
export function pattern(...patterns: readonly string[]): (...paths: readonly string[]) => boolean {
  const seen = new Set<string>();
  const source = patterns.map((text) => compile(text, seen)).join("\n");
  const expression = new RegExp(`^${source}$`, "u");
  return (...paths) => expression.test(paths.join("\n"));
}

/** Whether any of the patterns fits the path. */
export function anyOf(patterns: readonly string[]): (path: string) => boolean {
  const tests = patterns.map((text) => pattern(text));
  return (path) => tests.some((fits) => fits(path));
}

function compile(text: string, seen: Set<string>): string {
  return text.replace(TOKEN, (token: string, choices?: string, word?: string) => {
    if (token === "**") return "[^\\n]*";
    if (token === "*") return "[^/\\n]*";
    if (choices !== undefined) return `(?:${choices.split(",").map(escape).join("|")})`;
    if (word === undefined) return escape(token);
    if (seen.has(word)) return `\\k<${word}>`;
    seen.add(word);
    return `(?<${word}>[^/\\n]+)`;
  });
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`);
}
