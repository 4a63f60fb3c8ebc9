/** The hosts besides Bun and Node, as programs from the package registry, kept for the user like the servers are. */
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { install } from "#infra/stack/cache.ts";
import { run } from "#infra/stack/command.ts";

/** The pinned packages with their lock file. They are no dependencies of the project: 250 MB for one test. */
const PINNED = join(import.meta.dirname, "binaries");

/** Where the programs are. */
export interface Hosts {
  readonly deno: string;
  readonly workerd: string;
}

/**
 * Installs the programs where they are not there yet.
 * @throws {CommandError} the registry cannot be reached, or has none for this platform.
 */
export async function hosts(): Promise<Hosts> {
  const lock = await readFile(join(PINNED, "bun.lock"));
  const version = Bun.hash(lock).toString(36);
  const quiet = (): void => undefined;
  const folder = await install("hosts", version, { doing: quiet, waiting: quiet, run }, async (into) => {
    for (const file of ["package.json", "bun.lock"]) await copyFile(join(PINNED, file), join(into, file));
    // Not frozen: the lock file knows the platforms that it was made on, and the versions are exact without it.
    await run(process.execPath, ["install", "--ignore-scripts"], { cwd: into });
  });
  return {
    deno: program(folder, "@deno/*/deno{,.exe}"),
    workerd: program(folder, "@cloudflare/workerd-*/bin/workerd"),
  };
}

/** The packages' own start scripts only look for this file, and their post-install step would copy it. */
function program(folder: string, pattern: string): string {
  const modules = join(folder, "node_modules");
  const [found] = new Bun.Glob(pattern).scanSync({ cwd: modules });
  if (found === undefined) throw new Error(`Cannot find ${pattern} in ${modules}`);
  return join(modules, found);
}
