import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { asModule, codeBlocks, knownNames } from "./examples.ts";
import { type ExportedSymbol, exportedSymbols } from "./exports.ts";
import { programsOf } from "./programs.ts";
import { type Snippet, typeCheck } from "./type-check.ts";

/** Pages whose programs people copy. */
export const PAGES: readonly string[] = [
  "README.md",
  "runtime/README.md",
  "infra/docs/how-to/own-actor.md",
  "infra/docs/how-to/own-sink.md",
  "infra/docs/how-to/own-workflow.md",
  "infra/docs/how-to/payment-provider.md",
];

/** What {@link checkDocs} has seen and found. */
export interface DocsReport {
  readonly symbols: number;
  readonly examples: number;
  /** One line each: `runtime/base/clock.ts:3 Clock has no docstring`. */
  readonly faults: readonly string[];
}

/**
 * Holds every door that `package.json` exports to this: each symbol has a docstring; a function, and a class that is
 * not an error, shows its use in an `@example`; the examples compile, and so do the programs of the pages.
 */
export function checkDocs(root: string): DocsReport {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, string>;
  };
  const doors = Object.entries(exports).map(([door, path]) => [join(name, door), exportedSymbols(root, path)] as const);
  const known = knownNames(doors);
  // A symbol may stand in a door twice, by name and by `export *`.
  const symbols = new Map(
    doors.flatMap(([, found]) => found).map((symbol) => [`${symbol.file} ${symbol.name}`, symbol]),
  );
  const faults: string[] = [];
  const snippets: Snippet[] = [];
  for (const symbol of symbols.values()) {
    const place = `${symbol.file}:${symbol.line} ${symbol.name}`;
    if (symbol.doc === undefined) faults.push(`${place} has no docstring`);
    else if (needsExample(symbol) && !/@example\s*```ts\n/u.test(symbol.doc)) faults.push(`${place} has no @example`);
    for (const code of codeBlocks(symbol.doc ?? "")) {
      snippets.push({ title: `${place}, in its example`, code: asModule(code, known) });
    }
  }
  for (const page of PAGES.filter((path) => existsSync(join(root, path)))) {
    for (const { name: program, code } of programsOf(readFileSync(join(root, page), "utf8"))) {
      snippets.push({ title: `${page}, ${program}`, code, file: `${page.replaceAll("/", "-")}/${program}` });
    }
  }
  return { symbols: symbols.size, examples: snippets.length, faults: [...faults, ...typeCheck(root, snippets)] };
}

function needsExample({ kind, name }: ExportedSymbol): boolean {
  return kind === "function" || (kind === "class" && !name.endsWith("Error"));
}
