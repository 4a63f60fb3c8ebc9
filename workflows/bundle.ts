import { spawn } from "node:child_process";
/**
 * Workflow bundles, built once per version of the code.
 *
 * Bundling keeps a thread busy for seconds: longer than a node's lease. So it is done by a process of its own, and the
 * result is kept in the cache under the hash of everything that could be in it: a restarted app finds it there.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const KEPT_MS = 7 * 86_400_000;
const BUILDER = join(import.meta.dirname, "bundle-main.ts");

const bundles = new Map<string, Promise<{ readonly codePath: string }>>();

/**
 * The bundle of an entry file.
 * @throws when it cannot be built, with what the bundler said; the next call tries again.
 */
export function bundleOf(workflowsPath: string): Promise<{ readonly codePath: string }> {
  const known = bundles.get(workflowsPath);
  if (known !== undefined) return known;
  const built = build(workflowsPath);
  bundles.set(workflowsPath, built);
  built.catch(() => bundles.delete(workflowsPath));
  return built;
}

async function build(workflowsPath: string): Promise<{ readonly codePath: string }> {
  const directory = join(process.env["TROUPE_CACHE"] || join(homedir(), ".cache", "troupe"), "workflow-bundles");
  await mkdir(directory, { recursive: true });
  const codePath = join(directory, `${await codeHash(workflowsPath)}.js`);
  if (!existsSync(codePath)) {
    await runBuilder(workflowsPath, codePath);
    await removeOld(directory);
  }
  return { codePath };
}

/** Bundles of code that has changed since are never asked for again. */
async function removeOld(directory: string): Promise<void> {
  const before = Date.now() - KEPT_MS;
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    // Another process may be removing it, too.
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < before) await rm(file, { force: true });
  }
}

/** Over more than the bundle needs: every source of actors and workflows, and the lock file for the packages. */
async function codeHash(workflowsPath: string): Promise<string> {
  const hash = createHash("sha256").update(workflowsPath);
  hash.update(await readFile(join(ROOT, "bun.lock")));
  for (const folder of ["workflows", "actors"]) {
    const names = (await readdir(join(ROOT, folder), { recursive: true })).filter(
      (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
    );
    for (const name of names.toSorted()) hash.update(name).update(await readFile(join(ROOT, folder, name)));
  }
  return hash.digest("hex").slice(0, 32);
}

function runBuilder(workflowsPath: string, codePath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BUILDER, workflowsPath, codePath], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Cannot bundle ${workflowsPath}: ${said.trim() || `the bundler ended with ${code}`}`));
    });
  });
}
