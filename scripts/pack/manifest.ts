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

/** What stands in the package's own `package.json`. */
export interface PackedManifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly imports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** What every user needs, whatever the store. */
const REQUIRED_PEERS = ["valibot"];
/**
 * The manifest of the package: every door with its JavaScript and its types. Packages that the code imports are peers,
 * in the range from the tested version up to the next major one; those of single adapters are optional, so that who
 * keeps actors in memory installs no client of a server.
 *
 * @param imported what the built files import: names of packages, and `#names` of this repository.
 * @throws {Error} when one of them is neither a dependency nor a `#name` that stands for a single file.
 */
export function packedManifest(source: SourceManifest, imported: ReadonlySet<string>): PackedManifest {
  const names = [...imported].filter((name) => name.startsWith("#"));
  const peers = [...new Set([...REQUIRED_PEERS, ...imported])].filter((name) => !name.startsWith("#")).toSorted();
  const optional = peers.filter((name) => !REQUIRED_PEERS.includes(name));
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
      ...Object.fromEntries(Object.entries(source.exports).map(([door, path]) => [door, entry(path)])),
      "./package.json": "./package.json",
    },
    imports: Object.fromEntries(names.toSorted().map((name) => [name, entry(found(source.imports, name))])),
    peerDependencies: Object.fromEntries(peers.map((name) => [name, `^${found(source.dependencies, name)}`])),
    peerDependenciesMeta: Object.fromEntries(optional.map((name) => [name, { optional: true }])),
  };
}

function entry(path: string): { types: string; default: string } {
  return { types: path.replace(/\.ts$/u, ".d.ts"), default: path.replace(/\.ts$/u, ".js") };
}

function found(known: Readonly<Record<string, string>>, name: string): string {
  const value = known[name];
  if (value === undefined) throw new Error(`Cannot pack an import of ${name} as package.json does not name it`);
  return value;
}
