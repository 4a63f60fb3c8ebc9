/**
 * Programs kept for the user, so that a second checkout starts at once: `<cache>/<name>-<version>/…`.
 * A folder with its final name is complete: it is built elsewhere and renamed, under a lock that all checkouts share.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { tryLock, withLock } from "./lock.ts";
import type { ObtainContext } from "./recipe.ts";

/** The cache folder: `TROUPE_CACHE`, default `~/.cache/troupe`. */
export function cacheDir(): string {
  const named = process.env["TROUPE_CACHE"];
  return named === undefined || named === "" ? join(homedir(), ".cache", "troupe") : named;
}

/** Where a cached program is, if it has been installed. */
export function cached(name: string, version: string): string | undefined {
  const folder = join(cacheDir(), `${name}-${version}`);
  return existsSync(folder) ? folder : undefined;
}

/**
 * The folder of a cached program, filled by `build` when it is not there yet. Of several processes that ask at once, one builds and
 * the others wait. When `build` throws, nothing is left behind and the error passes through.
 */
export async function install(
  name: string,
  version: string,
  context: ObtainContext,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const wanted = `${name}-${version}`;
  const folder = join(cacheDir(), wanted);
  if (existsSync(folder)) return folder;
  return withLock(
    join(cacheDir(), "locks", `${wanted}.lock`),
    async () => {
      if (existsSync(folder)) return folder;
      const temporary = join(cacheDir(), "tmp");
      await removeLeftovers(temporary, wanted);
      const unfinished = join(temporary, `${wanted}.${process.pid}`);
      await mkdir(unfinished, { recursive: true });
      try {
        await build(unfinished);
        await rename(unfinished, folder);
      } catch (error) {
        await rm(unfinished, { recursive: true, force: true });
        throw error;
      }
      return folder;
    },
    () => context.waiting(`another run is installing ${wanted}`),
    context.signal,
  );
}

/** One such step at a time on this machine: `build` for what takes every core, `apt` for the package manager. */
export function oneAtATime<T>(kind: "build" | "apt", context: ObtainContext, work: () => Promise<T>): Promise<T> {
  return withLock(lockOf(kind), work, () => context.waiting(`another ${kind} step`), context.signal);
}

/** Like {@link oneAtATime} for a step that is not worth waiting for: throws when another one is under way. */
export async function onlyWhenIdle<T>(kind: "build" | "apt", work: () => Promise<T>): Promise<T> {
  using lock = tryLock(lockOf(kind));
  if (lock === undefined) throw new Error(`Another ${kind} step is under way`);
  return await work();
}

function lockOf(kind: "build" | "apt"): string {
  return join(cacheDir(), "locks", `${kind}.lock`);
}

/** What a killed build left. Safe while the lock of `wanted` is held. */
async function removeLeftovers(temporary: string, wanted: string): Promise<void> {
  for (const entry of await readdir(temporary).catch(() => [])) {
    if (entry.startsWith(`${wanted}.`)) await rm(join(temporary, entry), { recursive: true, force: true });
  }
}
