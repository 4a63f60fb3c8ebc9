import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A module to check, and how to call it in a message. */
export interface Snippet {
  readonly title: string;
  readonly code: string;
  /** Where it stands among the others, for what imports its neighbours: `page/name.ts`. @default a place of its own */
  readonly file?: string;
}

const TSC = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");

/**
 * Compiles the snippets inside the checkout, where its own name leads to its doors, all at once. Answers what the
 * compiler finds, as `title: message`; nothing when all is well.
 */
export function typeCheck(root: string, snippets: readonly Snippet[]): string[] {
  mkdirSync(join(root, ".troupe"), { recursive: true });
  const folder = mkdtempSync(join(root, ".troupe", "snippets-"));
  try {
    const titles = new Map<string, string>();
    for (const [index, { title, code, file = `${index}.ts` }] of snippets.entries()) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), code);
      titles.set(file, title);
    }
    const files = [...titles.keys()];
    // Examples leave it open which of their imports are types.
    const compilerOptions = { verbatimModuleSyntax: false };
    const config = { extends: "../../tsconfig.json", compilerOptions, include: [], exclude: [], files };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const command = [process.execPath, "--bun", TSC, "--pretty", "false", "-p", "."];
    const { stdout, exitCode } = Bun.spawnSync(command, { cwd: folder, stdin: "ignore" });
    if (exitCode === 0) return [];
    const lines = stdout.toString().trim().split("\n");
    return lines.map((line) => line.replace(/^([^(]+)\(\d+,\d+\)/u, (at, file: string) => titles.get(file) ?? at));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
