/** Builds the library for people who do not run TypeScript sources: JavaScript with types, one file for each of ours. */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { run } from "#infra/stack/command.ts";
import { importsOf } from "../boundaries/imports.ts";
import { ANYWHERE, type PackedManifest, packedManifest, type SourceManifest } from "./manifest.ts";

/** A built package: its manifest and its files, relative to its folder. */
export interface BuiltPackage {
  readonly manifest: PackedManifest;
  readonly files: readonly string[];
}

const TSC = "node_modules/typescript/bin/tsc";
/** Where each page and asset of the package comes from. */
const PAGES = {
  "README.md": "runtime/README.md",
  "DESIGN.md": "runtime/DESIGN.md",
  "CHANGELOG.md": "CHANGELOG.md",
  LICENSE: "LICENSE",
} as const;
const BUILTIN = new Set([...builtinModules, "bun"]);

/**
 * Builds the package of the checkout at `root` into the empty `folder`.
 * @throws {CommandError} the compiler found faults: what the built files may use is what Node 20 has, as well.
 */
export async function buildPackage(root: string, folder: string): Promise<BuiltPackage> {
  const source = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as SourceManifest;
  await compile(root, folder, Object.values(source.exports));
  const built = [...new Bun.Glob("**/*.{js,d.ts}").scanSync({ cwd: folder })];
  const imported = { core: new Set<string>(), adapters: new Set<string>() };
  for (const file of built) {
    const text = await readFile(join(folder, file), "utf8");
    for (const { specifier } of importsOf(file, text)) {
      if (specifier.startsWith(".") || specifier.includes(":") || BUILTIN.has(specifier)) continue;
      imported[ANYWHERE.test(file) ? "core" : "adapters"].add(
        specifier.startsWith("#") ? specifier : packageOf(specifier),
      );
    }
  }
  const adapters = [...new Set(built.map((file) => dirname(file)).filter((path) => path.startsWith("infra/")))];
  const assets = adapters.flatMap((path) => [...new Bun.Glob(`${path}/**/*.sql`).scanSync({ cwd: root })]);
  const examples = [...new Bun.Glob("runtime/examples/[0-9]*.ts").scanSync({ cwd: root })];
  const copies = [
    ...Object.entries(PAGES),
    ...assets.map((path) => [path, path] as const),
    ...examples.map((path) => [path.slice("runtime/".length), path] as const),
  ];
  for (const [to, from] of copies) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await cp(join(root, from), join(folder, to));
  }
  const manifest = packedManifest(source, imported);
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return { manifest, files: [...built, ...copies.map(([to]) => to), "package.json"].toSorted() };
}

/** Packs a built folder as `npm pack` would; answers the tarball's path. */
export async function packTarball(folder: string, destination: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as SourceManifest;
  await run(process.execPath, ["pm", "pack", "--ignore-scripts", "--quiet", "--destination", destination], {
    cwd: folder,
  });
  return join(destination, `${name}-${version}.tgz`);
}

async function compile(root: string, folder: string, doors: readonly string[]): Promise<void> {
  const config = join(folder, "tsconfig.json");
  const options = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      outDir: folder,
      rootDir: root,
      rewriteRelativeImportExtensions: true,
      // What Node 20 has. The hosts the core runs on have no more in common.
      target: "ES2022",
      lib: ["ES2023", "ES2024.String", "ESNext.Disposable", "DOM", "DOM.Iterable"],
      typeRoots: [join(root, "node_modules/@types"), join(root, "node_modules")],
    },
    include: [],
  };
  for (const types of ["", "node", "bun-types"]) {
    const files = doors.filter((door) => hostTypes(door) === types).map((door) => join(root, door));
    if (files.length === 0) continue;
    const compilerOptions = { ...options.compilerOptions, types: types === "" ? [] : [types] };
    await writeFile(config, JSON.stringify({ ...options, compilerOptions, files }));
    await run(process.execPath, ["--bun", TSC, "-p", config], { cwd: root });
  }
  await rm(config);
}

/** What a door may know of its host: what runs anywhere nothing, adapters what Node has; one needs what only Bun has. */
function hostTypes(door: string): string {
  if (ANYWHERE.test(door)) return "";
  return door.includes("/sqlite/") ? "bun-types" : "node";
}

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
