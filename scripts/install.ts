/**
 * Makes a fresh clone runnable: installs the dependencies when they are not those of the lock file. Uses nothing but what Bun brings,
 * and so must whoever imports it before calling it.
 */
import { Database } from "bun:sqlite";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "..");
const MODULES = join(ROOT, "node_modules");
/** Carries the moment a command began over to its second process. */
const BEGAN_VARIABLE = "TROUPE_BEGAN_AT";
const began = process.env[BEGAN_VARIABLE] ?? String(Date.now());
delete process.env[BEGAN_VARIABLE];

/** Holds the hash of the lock file that was installed last. */
const STAMP = join(MODULES, ".troupe-installed");

/**
 * Returns when `node_modules` is what `bun.lock` says. When it is not, installs it, runs the same command again and ends this process with
 * its exit code: a Bun that started without `node_modules` does not see them later, and would load packages from elsewhere.
 * Throws when the installation fails.
 */
export async function ensureInstalled(say: (line: string) => void = console.log): Promise<void> {
  if (isInstalled()) return;
  await install(say);
  process.exit(await runAgain());
}

async function install(say: (line: string) => void): Promise<void> {
  mkdirSync(MODULES, { recursive: true });
  const release = await lock(join(MODULES, ".troupe-lock"));
  try {
    if (isInstalled()) return; // Another run did it while we waited.
    const started = performance.now();
    say("Installing dependencies …");
    await bunInstall();
    writeFileSync(STAMP, wanted());
    say(`Installed dependencies in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } finally {
    release();
  }
}

/** How long the command has been running, the installation included, in milliseconds. */
export function elapsedMs(): number {
  return Date.now() - Number(began);
}

/** The same command line in a new process, which gets every signal that we get. */
function runAgain(): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, process.argv.slice(1), {
      stdio: "inherit",
      env: { ...process.env, [BEGAN_VARIABLE]: began },
    });
    // From a terminal the interrupt reaches the child by itself.
    process.on("SIGINT", () => undefined);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function isInstalled(): boolean {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted();
}

function wanted(): string {
  const hash = createHash("sha256");
  for (const file of ["bun.lock", "package.json"]) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

function bunInstall(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["install", "--frozen-lockfile"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `Cannot install the dependencies: bun install ended with code ${code}\n${Buffer.concat(chunks).toString("utf8").trim()}`,
          ),
        );
    });
  });
}

/** The same kind of lock as infra/stack/lock.ts, which may itself not be imported before the installation. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    const database = new Database(path, { create: true });
    try {
      database.run("BEGIN EXCLUSIVE");
      return () => database.close();
    } catch {
      database.close();
      await delay(100);
    }
  }
}
