/**
 * What a JSON Schema from outside may be. A schema is code that others write and this process runs: without limits a
 * small one can hold up everything else for seconds.
 */
import { patternWeight } from "./pattern-weight.ts";
import { re2Pattern } from "./re2-pattern.ts";

/** Why a schema is not taken: the place, and what is expected there. */
export interface SchemaFault {
  /** A JSON pointer into the schema. */
  readonly path: string;
  readonly message: string;
}

/** What a schema that is taken costs. */
export interface SchemaCost {
  /** How many of its nodes, and places of its patterns, one value may have to pass, each `$ref` counted as what it leads to. */
  readonly weight: number;
  /** Whether it refers to itself: then the work grows with the depth of the data, perhaps without bound. */
  readonly recursive: boolean;
}

export const MAX_SCHEMA_BYTES = 65_536;
const MAX_DEPTH = 32;
const MAX_NODES = 1_000;
const MAX_PATTERN_LENGTH = 256;
/** `uniqueItems` compares every item with every other. */
const MAX_UNIQUE_ITEMS = 1_000;
const MAX_WEIGHT = 1_000_000;

/** Keywords whose members are values, not schemas: what stands there is not looked into. */
const VALUES: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);
const FOREIGN: ReadonlySet<string> = new Set([
  "$data",
  "$dynamicRef",
  "$dynamicAnchor",
  "$anchor",
  "$id",
  "$vocabulary",
  // The validator tells wrongly which items were looked at, and would let in what does not fit.
  "unevaluatedItems",
]);
const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** What is said of a pattern that cannot be taken. */
export const NOT_RE2 = "The pattern is not one of RE2: it knows no look-around, no back-references and no flags";

type Node = Readonly<Record<string, unknown>>;

/**
 * Measures a schema without compiling it.
 * @returns its cost, or every place that is not allowed (at most 20).
 */
export function measureSchema(schema: unknown): SchemaCost | readonly SchemaFault[] {
  const size = new TextEncoder().encode(JSON.stringify(schema) ?? "").length;
  if (size > MAX_SCHEMA_BYTES)
    return [{ path: "", message: `The schema is ${size} bytes large: limit is ${MAX_SCHEMA_BYTES}` }];
  const faults: SchemaFault[] = [];
  let nodes = 0;
  /** Places of an `if` without `then`. */
  const halves: string[] = [];
  let unevaluated = false;

  const look = (value: unknown, path: string, depth: number): void => {
    if (typeof value !== "object" || value === null || faults.length >= 20) return;
    if (depth > MAX_DEPTH) {
      faults.push({ path, message: `The schema is nested too deeply: limit is ${MAX_DEPTH}` });
      return;
    }
    if (++nodes === MAX_NODES + 1)
      faults.push({ path, message: `The schema has too many nodes: limit is ${MAX_NODES}` });
    if (nodes > MAX_NODES) return;
    if (Array.isArray(value)) {
      value.forEach((item, i) => look(item, `${path}/${i}`, depth + 1));
      return;
    }
    if (!insideProperties(path)) {
      if (Object.hasOwn(value, "if") && !Object.hasOwn(value, "then")) halves.push(`${path}/if`);
      unevaluated ||= Object.hasOwn(value, "unevaluatedProperties");
    }
    for (const [keyword, inner] of Object.entries(value)) {
      const at = `${path}/${keyword.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const message = faultOf(keyword, inner, value as Node, schema, path);
      if (message !== undefined) faults.push({ path: at, message });
      if (!VALUES.has(keyword)) look(inner, at, depth + 1);
    }
  };
  if (typeof schema !== "boolean" && (typeof schema !== "object" || schema === null || Array.isArray(schema)))
    return [{ path: "", message: "A schema is an object or a boolean" }];
  look(schema, "", 1);
  // The validator counts what an `if` has looked at although it failed.
  if (unevaluated)
    for (const path of halves) faults.push({ path, message: "Beside unevaluatedProperties, if needs a then" });
  if (faults.length > 0) return faults.slice(0, 20);
  const cost = costOf(schema);
  if (cost.weight > MAX_WEIGHT)
    return [{ path: "", message: "The schema leads through too many references to be checked in reasonable time" }];
  return cost;
}

function faultOf(keyword: string, value: unknown, node: Node, root: unknown, path: string): string | undefined {
  if (keyword === "__proto__") return "No member may be called __proto__: the validator does not see it";
  if (keyword === "$schema" && (path !== "" || value !== DRAFT)) return `Expected ${DRAFT}, at the top only`;
  if (FOREIGN.has(keyword) && !insideProperties(path)) return `${keyword} is not supported`;
  if (keyword === "$ref" && !insideProperties(path)) {
    if (typeof value !== "string" || !(value === "#" || value.startsWith("#/")))
      return "A reference must lead to a place in this schema, as in #/$defs/address";
    return resolve(root, value) === undefined ? "There is nothing at the place the reference leads to" : undefined;
  }
  if (keyword === "pattern" && typeof value === "string") return patternFault(value);
  if (keyword === "uniqueItems" && value === true && !(Number(node["maxItems"]) <= MAX_UNIQUE_ITEMS))
    return `uniqueItems needs a maxItems of at most ${MAX_UNIQUE_ITEMS} beside it`;
  if (path.endsWith("/patternProperties")) return patternFault(keyword);
  return undefined;
}

/** Below `properties` and `$defs` a member's name is anybody's choice, and no keyword. */
function insideProperties(path: string): boolean {
  return /\/(?:properties|\$defs|patternProperties|dependentSchemas|dependentRequired)$/.test(path);
}

function patternFault(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `The pattern is ${pattern.length} characters long: limit is ${MAX_PATTERN_LENGTH}`;
  try {
    // Compiling it is the worker's: a short pattern can take long.
    re2Pattern(pattern);
    return undefined;
  } catch {
    return NOT_RE2;
  }
}

/** The place a local reference leads to. */
function resolve(root: unknown, reference: string): unknown {
  let at: unknown = root;
  let steps: string[];
  try {
    steps = decodeURIComponent(reference).split("/").slice(1);
  } catch {
    return undefined;
  }
  for (const step of steps) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Node)[name];
  }
  return at;
}

function costOf(root: unknown): SchemaCost {
  const known = new Map<object, number>();
  const open = new Set<object>();
  let recursive = false;
  const weigh = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 0;
    const before = known.get(value);
    if (before !== undefined) return before;
    if (open.has(value)) {
      recursive = true;
      return 1;
    }
    open.add(value);
    let weight = 1;
    for (const [keyword, inner] of Object.entries(value)) {
      if (keyword === "$defs" || VALUES.has(keyword)) continue;
      if (keyword === "pattern" && typeof inner === "string") weight += patternWeight(inner);
      if (keyword === "patternProperties" && typeof inner === "object" && inner !== null)
        for (const pattern of Object.keys(inner)) weight += patternWeight(pattern);
      const target = keyword === "$ref" && typeof inner === "string" ? resolve(root, inner) : inner;
      weight += weigh(target);
    }
    open.delete(value);
    known.set(value, weight);
    return weight;
  };
  const weight = weigh(root);
  return { weight, recursive };
}
