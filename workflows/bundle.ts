/**
 * Workflow bundles, built once per version of the code.
 *
 * Bundling keeps a thread busy for seconds: longer than a node's lease. So it is done by a process of its own, and the
 * result is kept in the cache under the hash of everything that could be in it: a restarted app finds it there, and so
 * does an app that starts after `bun run dev` had it built beside the servers.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join, relative } from "node:path";
import { cacheDir } from "#infra/stack/cache.ts";
import { withLock } from "#infra/stack/lock.ts";

const ROOT = join(import.meta.dirname, "..");
const BUILDER = join(import.meta.dirname, "bundle-main.ts");
/** 1.7 MB each. Those that were used last are kept. */
const KEPT = 24;

/** Where bundles come from; tests name a tree of their own. */
export interface BundleOptions {
  /** The checkout. @default this one */
  readonly root?: string;
  /** Makes the missing ones. @default a process that runs `bundle-main.ts` */
  readonly build?: (missing: readonly Bundle[]) => Promise<void>;
}

/** One bundle: what it is made from, and the file it is in. */
export interface Bundle {
  readonly workflowsPath: string;
  readonly codePath: string;
}

let asked: { readonly paths: Set<string>; readonly built: Promise<readonly Bundle[]> } | undefined;

/**
 * The bundle of an entry file. Those that are asked for in the same moment are built by one process: most of the time goes into starting
 * the bundler.
 * @throws when it cannot be built, with what the bundler said; the next call tries again.
 */
export async function bundleOf(workflowsPath: string): Promise<{ readonly codePath: string }> {
  if (asked === undefined) {
    const paths = new Set<string>();
    const built = Promise.resolve().then(() => {
      asked = undefined;
      return bundlesOf([...paths]);
    });
    asked = { paths, built };
  }
  asked.paths.add(workflowsPath);
  const bundle = (await asked.built).find((each) => each.workflowsPath === workflowsPath);
  if (bundle === undefined) throw new Error(`No bundle was made of ${workflowsPath}`);
  return { codePath: bundle.codePath };
}

/** The bundles of several entry files; what is missing is built by one process, and by one of all that ask at once. */
export async function bundlesOf(
  workflowsPaths: readonly string[],
  { root = ROOT, build = runBuilder }: BundleOptions = {},
): Promise<readonly Bundle[]> {
  const directory = join(cacheDir(), "workflow-bundles");
  await mkdir(directory, { recursive: true });
  const code = await codeHash(root);
  const bundles = workflowsPaths.map((workflowsPath) => {
    // The path below the checkout: another clone of the same code finds the same bundle.
    const name = createHash("sha256").update(code).update(relative(root, workflowsPath)).digest("hex").slice(0, 32);
    return { workflowsPath, codePath: join(directory, `${name}.js`) };
  });
  const missing = (): Bundle[] => bundles.filter(({ codePath }) => !existsSync(codePath));
  if (missing().length > 0) {
    await withLock(join(cacheDir(), "locks", "workflow-bundles.lock"), async () => {
      const left = missing();
      if (left.length > 0) await build(left);
      await removeOld(directory, new Set(bundles.map(({ codePath }) => codePath)));
    });
  }
  const now = new Date();
  await Promise.all(bundles.map(({ codePath }) => utimes(codePath, now, now).catch(() => undefined)));
  return bundles;
}

/** Bundles of code that has changed since are never asked for again. The caller holds the lock. */
async function removeOld(directory: string, except: ReadonlySet<string>): Promise<void> {
  const files = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      const path = join(directory, name);
      return { path, usedMs: (await stat(path)).mtimeMs };
    }),
  );
  const oldest = files.filter(({ path }) => !except.has(path)).toSorted((one, other) => other.usedMs - one.usedMs);
  for (const { path } of oldest.slice(Math.max(0, KEPT - except.size))) await rm(path, { force: true });
}

/** Over more than the bundles need: every source that a workflow may import, and what says where packages and names lead. */
async function codeHash(root: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["bun.lock", "package.json", "tsconfig.json"]) hash.update(await readFile(join(root, file)));
  for (const folder of ["workflows", "actors", "runtime"]) {
    const names = (await readdir(join(root, folder), { recursive: true }))
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .toSorted();
    const texts = await Promise.all(names.map((name) => readFile(join(root, folder, name))));
    for (const [index, text] of texts.entries()) hash.update(`\0${folder}/${names[index]}\0`).update(text);
  }
  return hash.digest("hex");
}

function runBuilder(missing: readonly Bundle[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const files = missing.flatMap(({ workflowsPath, codePath }) => [workflowsPath, codePath]);
    const child = spawn(process.execPath, [BUILDER, ...files], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve();
      const names = missing.map(({ workflowsPath }) => relative(ROOT, workflowsPath)).join(", ");
      reject(new Error(`Cannot bundle ${names}: ${said.trim() || `the bundler ended with ${code}`}`));
    });
  });
}
