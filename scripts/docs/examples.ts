import type { ExportedSymbol } from "./exports.ts";

/** A name that an example may use without importing it, and where it comes from. */
export type Imports = ReadonlyMap<string, string>;

/** Made for examples; reached by its path from the folder they are compiled in. */
const PRELUDE = "../../scripts/docs/prelude.ts";
const BLOCK = /^```ts\n([^]*?)^```$/gmu;

/** The TypeScript blocks of a docstring or a page, without their fences. */
export function codeBlocks(markdown: string): string[] {
  return [...markdown.matchAll(BLOCK)].map(([, code = ""]) => code);
}

/**
 * An example as a module: with the imports that a docstring leaves out. What it declares or imports itself is left to it.
 */
export function asModule(code: string, known: Imports): string {
  const bySource = new Map<string, string[]>();
  for (const [name, source] of known) {
    if (!uses(code, name) || declares(code, name)) continue;
    bySource.set(source, [...(bySource.get(source) ?? []), name]);
  }
  const imports = [...bySource].map(([source, names]) =>
    names.includes("* as v") ? `import * as v from "${source}";` : `import { ${names.join(", ")} } from "${source}";`,
  );
  return `${imports.join("\n")}\n${code}\nexport {};\n`;
}

/** What every example may use: the names of all doors, `v`, the test runner's, and the actors of the prelude. */
export function knownNames(doors: Iterable<readonly [specifier: string, symbols: readonly ExportedSymbol[]]>): Imports {
  const known = new Map<string, string>([
    ["* as v", "valibot"],
    ["test", "bun:test"],
    ["expect", "bun:test"],
    ...["Counter", "troupe"].map((name) => [name, PRELUDE] as const),
  ]);
  for (const [specifier, symbols] of doors) for (const { name } of symbols) known.set(name, specifier);
  return known;
}

function uses(code: string, name: string): boolean {
  if (name === "* as v") return /\bv\.\w/u.test(code);
  return new RegExp(String.raw`(?<![.\w"'/-])${name}\b(?!["'/:-])`, "u").test(withoutComments(code));
}

function declares(code: string, name: string): boolean {
  if (name === "* as v") return /import \* as v\b/u.test(code);
  return new RegExp(
    String.raw`\b(?:const|let|class|function|type|interface)\s+${name}\b|import[^;]*\b${name}\b[^;]*from`,
    "u",
  ).test(code);
}

function withoutComments(code: string): string {
  return code.replaceAll(/(?<!:)\/\/.*|\/\*[^]*?\*\//gu, "");
}
