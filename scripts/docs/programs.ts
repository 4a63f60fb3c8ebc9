import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeBlocks } from "./examples.ts";

/** A program of a page, and what it says that it prints: the lines behind its arrows (`// → 5`). */
export interface Program {
  readonly name: string;
  readonly code: string;
  readonly prints: readonly string[];
  /** Whether it talks to a server. */
  readonly needsServers: boolean;
}

/**
 * The programs of a page: all its TypeScript blocks. Each begins with its name as a comment.
 * @throws {Error} a block has no name: then it could not be run, and might be wrong.
 */
export function programsOf(markdown: string): Program[] {
  return codeBlocks(markdown).map((code) => {
    const name = /^\/\/ ([a-z-]+\.ts)\n/u.exec(code)?.[1];
    if (name === undefined) throw new Error(`Cannot run a block without a name: begin it with "// name.ts"\n${code}`);
    return {
      name,
      code,
      prints: [...code.matchAll(/\/\/ → (.*)$/gmu)].map(([, line = ""]) => line),
      needsServers: /from "troupe\/(?:postgres|nats|kafka)"/u.test(code),
    };
  });
}

/** Runs a program in a folder inside the checkout, where the package's name leads to its sources. Answers its lines. */
export async function runProgram(
  root: string,
  { name, code }: Program,
  env: Readonly<Record<string, string>> = {},
): Promise<{ lines: string[]; errors: string; code: number }> {
  mkdirSync(join(root, ".troupe"), { recursive: true });
  const folder = mkdtempSync(join(root, ".troupe", "page-"));
  try {
    writeFileSync(join(folder, name), code);
    const child = Bun.spawn([process.execPath, name], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [printed, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { lines: printed.split("\n").filter((line) => line !== ""), errors, code: await child.exited };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
