/** The part of this repository's `package.json` that a package is made from. */
export interface SourceManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  /** The doors, as TypeScript files: `"./postgres": "./infra/postgres/mod.ts"`. */
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** How a door is found: its types, and its JavaScript by who asks. The same file for each, as it is written for all of them. */
export interface DoorEntry {
  readonly types: string;
  readonly bun: string;
  /** Where it runs on workerd: what runs anywhere does. */
  readonly workerd?: string;
  readonly import: string;
  readonly default: string;
}

/** What stands in the package's own `package.json`. */
export interface PackedManifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | DoorEntry>>;
  readonly imports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** What the built files import: names of packages, and `#names` of this repository. */
export interface Imported {
  readonly core: ReadonlySet<string>;
  readonly adapters: ReadonlySet<string>;
}

/** What a user's own code imports too: there must be one of it. */
const SHARED = "valibot";
/**
 * The manifest of the package: every door with its JavaScript and its types. What the core imports is a dependency, but
 * `valibot`, whose schemas its users write, is a peer. The clients of adapters are optional peers, so that who keeps
 * actors in memory installs none. Ranges go from the tested version up to the next major one.
 *
 * @throws {Error} when an import is neither a dependency of this repository nor a `#name` that stands for a single file.
 */
export function packedManifest(source: SourceManifest, { core, adapters }: Imported): PackedManifest {
  const all = [...new Set([SHARED, ...core, ...adapters])].toSorted();
  const names = all.filter((name) => name.startsWith("#"));
  const packages = all.filter((name) => !name.startsWith("#"));
  const dependencies = packages.filter((name) => core.has(name) && name !== SHARED);
  const peers = packages.filter((name) => !dependencies.includes(name));
  const optional = peers.filter((name) => name !== SHARED);
  const ranges = (of: readonly string[]): Record<string, string> =>
    Object.fromEntries(of.map((name) => [name, `^${found(source.dependencies, name)}`]));
  return {
    name: source.name,
    version: source.version,
    description: source.description,
    license: source.license,
    keywords: ["actor", "durable", "outbox", "postgres", "bun"],
    type: "module",
    sideEffects: false,
    engines: { ...source.engines, node: ">=20.11" },
    exports: {
      ...Object.fromEntries(Object.entries(source.exports).map(([door, path]) => [door, doorEntry(path)])),
      "./package.json": "./package.json",
    },
    imports: Object.fromEntries(names.map((name) => [name, entry(found(source.imports, name))])),
    dependencies: ranges(dependencies),
    peerDependencies: ranges(peers),
    peerDependenciesMeta: Object.fromEntries(optional.map((name) => [name, { optional: true }])),
  };
}

/** Files that run on every host, with what everybody gets: the core, doors and their client, and what hosts them at the edge. */
export const ANYWHERE = /^(?:\.\/)?(?:runtime|infra\/(?:door|client|http|json|durable-object))\//u;

function doorEntry(path: string): DoorEntry {
  const { types, default: file } = entry(path);
  return { types, bun: file, ...(ANYWHERE.test(path) && { workerd: file }), import: file, default: file };
}

function entry(path: string): { types: string; default: string } {
  return { types: path.replace(/\.ts$/u, ".d.ts"), default: path.replace(/\.ts$/u, ".js") };
}

function found(known: Readonly<Record<string, string>>, name: string): string {
  const value = known[name];
  if (value === undefined) throw new Error(`Cannot pack an import of ${name} as package.json does not name it`);
  return value;
}
