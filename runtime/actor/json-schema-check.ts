import type { GenericSchema } from "valibot";

/** What a value of these types becomes as JSON is another value, or none. */
const NOT_JSON: ReadonlySet<string> = new Set([
  "bigint",
  "blob",
  "date",
  "file",
  "function",
  "instance",
  "map",
  "nan",
  "promise",
  "set",
  "symbol",
]);

interface Node {
  readonly type?: unknown;
  readonly kind?: unknown;
}

/**
 * @throws {TypeError} when a state schema holds what does not survive JSON (`v.date()`, `v.map(…)`, `v.bigint()`, …): such a
 * state would come back from the store as another one.
 */
export function checkStateSchema(type: string, schema: GenericSchema): void {
  const found = findNotJson(schema, "", new Set());
  if (found === undefined) return;
  throw new TypeError(
    `Cannot define the actor type "${type}" as its state is kept as JSON: ${found.path || "/"} is v.${found.name}()`,
  );
}

function findNotJson(
  node: unknown,
  path: string,
  seen: Set<object>,
): { readonly path: string; readonly name: string } | undefined {
  if (typeof node !== "object" || node === null || seen.has(node)) return undefined;
  seen.add(node);
  const { type, kind } = node as Node;
  if (kind === "schema" && typeof type === "string" && NOT_JSON.has(type)) return { path, name: type };
  for (const [at, child] of childrenOf(node as Readonly<Record<string, unknown>>)) {
    const found = findNotJson(child, path + at, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The schemas that a schema is made of, with the place they describe. */
function childrenOf(node: Readonly<Record<string, unknown>>): [at: string, child: unknown][] {
  const { entries, items, item, rest, key, value, wrapped, options, pipe } = node;
  const children: [string, unknown][] = [];
  if (typeof entries === "object" && entries !== null) {
    for (const [name, child] of Object.entries(entries)) children.push([`/${name}`, child]);
  }
  if (Array.isArray(items)) items.forEach((child, i) => children.push([`/${i}`, child]));
  if (item !== undefined) children.push(["/*", item]);
  for (const child of [rest, key, value]) if (child !== undefined) children.push(["/*", child]);
  if (wrapped !== undefined) children.push(["", wrapped]);
  if (Array.isArray(options)) for (const child of options) children.push(["", child]);
  // What comes out of a pipe is what its last schema says; what its actions do cannot be seen.
  if (Array.isArray(pipe)) {
    const last = pipe.findLast((part: unknown) => (part as Node | null)?.kind === "schema");
    if (last !== undefined && last !== node) children.push(["", last]);
  }
  return children;
}
