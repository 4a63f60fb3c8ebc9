import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeBlocks } from "./examples.ts";

/** A program of a page, and what it says that it prints: the lines behind its arrows (`// → 5`). */
export interface Program {
  readonly name: string;
  readonly code: string;
  /** None for a file that others of its page import, and for a test. */
  readonly prints: readonly string[];
  /** Whether it talks to a server. */
  readonly needsServers: boolean;
  /** The other files of its page, which it may import. */
  readonly beside: readonly { readonly name: string; readonly code: string }[];
}

const SERVERS = /from "(?:troupe\/(?:postgres|nats|kafka)|#infra\/temporal\/)/u;

/**
 * The programs of a page: all its TypeScript blocks. Each begins with its name as a comment.
 * @throws {Error} a block has no name: then it could not be run, and might be wrong.
 */
export function programsOf(markdown: string): Program[] {
  const files = codeBlocks(markdown).map((code) => {
    const name = /^\/\/ ([a-z-]+(?:\.test)?\.ts)\n/u.exec(code)?.[1];
    if (name === undefined) throw new Error(`Cannot run a block without a name: begin it with "// name.ts"\n${code}`);
    return { name, code };
  });
  return files.map((file) => ({
    ...file,
    prints: [...file.code.matchAll(/\/\/ → (.*)$/gmu)].map(([, line = ""]) => line),
    needsServers: SERVERS.test(file.code),
    beside: files.filter(({ name }) => name !== file.name),
  }));
}

/** Whether a file is run: it prints something, or is a test. The others are imported by those. */
export function isRun({ name, prints }: Program): boolean {
  return prints.length > 0 || name.endsWith(".test.ts");
}

/**
 * Runs a program in a folder inside the checkout, where the package's name leads to its sources; a test by `bun test`.
 * Answers its lines.
 */
export async function runProgram(
  root: string,
  { name, code, beside }: Program,
  env: Readonly<Record<string, string>> = {},
): Promise<{ lines: string[]; errors: string; code: number }> {
  mkdirSync(join(root, ".troupe"), { recursive: true });
  const folder = mkdtempSync(join(root, ".troupe", "page-"));
  try {
    for (const file of [...beside, { name, code }]) writeFileSync(join(folder, file.name), file.code);
    const child = Bun.spawn(
      [process.execPath, ...(name.endsWith(".test.ts") ? ["test", "--timeout", "60000", `./${name}`] : [name])],
      {
        cwd: folder,
        env: { ...process.env, ...env },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const [printed, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { lines: printed.split("\n").filter((line) => line !== ""), errors, code: await child.exited };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
