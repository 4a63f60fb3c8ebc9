import { existsSync, readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { importsOf, type ImportSite } from "./imports.ts";
import { LEVELS } from "./rules.ts";

/** What an import leads to: a file of the project, a package, a module of the host, or nothing. */
export type Target =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "missing" };

/** One import of `from`, a path relative to the root, and where it leads. */
export interface Edge extends ImportSite {
  readonly from: string;
  readonly target: Target;
}

/** Every module of the project and every import among them. */
export interface Graph {
  readonly modules: readonly string[];
  readonly edges: readonly Edge[];
}

const SOURCES = new Bun.Glob(`{${LEVELS.flat().join(",")}}/**/*.{ts,tsx,mts,js,mjs}`);

/**
 * Reads the real import graph below `root`, with the `#names` of its `package.json` and the doors it exports under its
 * own name.
 *
 * @param ignored Folders to leave out, relative to the root, each with a closing slash.
 */
export function readGraph(root: string, ignored: readonly string[]): Graph {
  const names = readNames(root);
  const modules = [...SOURCES.scanSync({ cwd: root })]
    .filter((path) => !path.includes("node_modules/") && !ignored.some((folder) => path.startsWith(folder)))
    .sort();
  const edges = modules.flatMap((from) =>
    importsOf(from, readFileSync(join(root, from), "utf8")).map((site) => ({
      ...site,
      from,
      target: resolve(root, names, from, site.specifier),
    })),
  );
  return { modules, edges };
}

type Names = readonly (readonly [name: string, path: string])[];

function readNames(root: string): Names {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    imports?: Record<string, string>;
    exports?: Record<string, string>;
  };
  const doors = Object.entries(manifest.exports ?? {}).map(
    ([door, path]) => [join(manifest.name, door), path] as const,
  );
  return [...Object.entries(manifest.imports ?? {}), ...doors];
}

function resolve(root: string, names: Names, from: string, specifier: string): Target {
  const [bare = ""] = specifier.split("?");
  if (bare.startsWith(".")) return file(root, join(root, dirname(from), bare));
  if (bare.startsWith("/")) return file(root, bare);
  if (bare.startsWith("#")) return named(root, names, bare);
  if (bare === "bun" || bare.startsWith("bun:") || isBuiltin(bare)) return { kind: "builtin", name: bare };
  const door = named(root, names, bare);
  if (door.kind === "file") return door;
  return { kind: "package", name: bare.split("/", bare.startsWith("@") ? 2 : 1).join("/") };
}

function named(root: string, names: Names, specifier: string): Target {
  for (const [name, path] of names) {
    const [before = "", after] = name.split("*");
    if (after === undefined ? specifier === name : specifier.startsWith(before) && specifier.endsWith(after)) {
      const rest = after === undefined ? "" : specifier.slice(before.length, specifier.length - after.length);
      return file(root, join(root, path.replace("*", rest)));
    }
  }
  return { kind: "missing" };
}

function file(root: string, path: string): Target {
  const found = [path, `${path}.ts`, `${path}.tsx`, join(path, "index.ts")].find(isFile);
  return found === undefined ? { kind: "missing" } : { kind: "file", path: relative(root, found) };
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
