import { isExactNumber } from "#infra/json/exact.ts";
/**
 * Reads a schema from outside: every subschema with its place, and what references may lead to. Nothing is fetched: a
 * reference leads to a place within the document.
 *
 * A schema is code that others write and this process runs: it is measured before anything recursive sees it.
 */
import { stepOf } from "#infra/json/pointer.ts";
import { draftOf, type Draft, keywordIn } from "./keywords.ts";
import { type SchemaFault } from "./misfit.ts";

/** A part of the document with a URI of its own: the whole, or what has an `$id`. */
export interface Resource {
  readonly uri: string;
  /** Where it stands in the document, as a JSON pointer. */
  readonly pointer: string;
  readonly draft: Draft;
  /** Places by their `$anchor` and `$dynamicAnchor`. */
  readonly anchors: Map<string, string>;
  readonly dynamicAnchors: Map<string, string>;
  /** `$recursiveAnchor` of draft 2019-09. */
  readonly recursive: boolean;
}

/** One subschema. */
export interface Subschema {
  readonly pointer: string;
  readonly value: boolean | Readonly<Record<string, unknown>>;
  readonly resource: Resource;
}

/** A schema, read. */
export interface SchemaDocument {
  /** All subschemas by their place; the whole is at `""`. */
  readonly subschemas: ReadonlyMap<string, Subschema>;
  readonly resources: ReadonlyMap<string, Resource>;
}

export const MAX_SCHEMA_BYTES = 65_536;
export const MAX_FAULTS = 20;
const MAX_DEPTH = 32;
const MAX_NODES = 1_000;
const MAX_PATTERN_LENGTH = 256;
/** What relative references of a schema without an absolute `$id` are relative to. */
const NO_BASE = "schema:/";

type Node = Readonly<Record<string, unknown>>;

/** @returns the document, or every place that is not allowed (at most {@link MAX_FAULTS}). */
export function readSchema(schema: unknown, bytes: number): SchemaDocument | readonly SchemaFault[] {
  if (bytes > MAX_SCHEMA_BYTES)
    return [fault("", "The schema is too large", `at most ${MAX_SCHEMA_BYTES} bytes`, `${bytes} bytes`)];
  const tooMuch = measure(schema);
  if (tooMuch !== undefined) return [tooMuch];
  const reading = new Reading();
  reading.read(schema, "", undefined);
  return reading.faults.length > 0 ? reading.faults.slice(0, MAX_FAULTS) : reading;
}

/** Depth and number of all objects and lists, values included. */
function measure(root: unknown): SchemaFault | undefined {
  const open: [value: unknown, path: string, depth: number][] = [[root, "", 1]];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, path, depth] = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth > MAX_DEPTH) return fault(path, "The schema is nested too deeply", `at most ${MAX_DEPTH} levels`, "more");
    if (++nodes > MAX_NODES) return fault("", "The schema has too many nodes", `at most ${MAX_NODES}`, "more");
    for (const [name, inner] of Object.entries(value)) open.push([inner, `${path}/${stepOf(name)}`, depth + 1]);
  }
  return undefined;
}

class Reading implements SchemaDocument {
  readonly subschemas = new Map<string, Subschema>();
  readonly resources = new Map<string, Resource>();
  readonly faults: SchemaFault[] = [];

  read(value: unknown, pointer: string, around: Resource | undefined): void {
    if (this.faults.length >= MAX_FAULTS) return;
    if (typeof value !== "boolean" && !isObject(value)) {
      this.#fault(pointer, "A schema is an object or a boolean", "an object or a boolean", value);
      return;
    }
    const resource = this.#resourceOf(value, pointer, around);
    if (resource === undefined) return;
    this.subschemas.set(pointer, { pointer, value, resource });
    if (typeof value === "boolean") return;
    const { draft } = resource;
    const alone = draft === "draft-07" && Object.hasOwn(value, "$ref");
    for (const [name, inner] of Object.entries(value)) {
      const at = `${pointer}/${stepOf(name)}`;
      const holds = keywordIn(draft, name);
      if (holds === undefined) this.#unknown(at, name, draft);
      // Draft 7: what stands beside a reference says nothing, but for the definitions, which it may lead to.
      else if (alone && name !== "$ref" && name !== "definitions" && name !== "$defs") continue;
      else if (holds.kind !== "value") this.#readAll(holds.kind, inner, at, resource);
      else if (!holds.fits(inner)) this.#fault(at, `${name} must be ${holds.expected}`, holds.expected, inner);
      else this.#readValue(name, inner, at, pointer, resource);
    }
  }

  #readAll(kind: string, inner: unknown, at: string, resource: Resource): void {
    if (kind === "schema" || (kind === "schemaOrSchemas" && !Array.isArray(inner))) {
      this.read(inner, at, resource);
    } else if (kind === "schemas" || kind === "schemaOrSchemas") {
      if (!Array.isArray(inner) || (inner.length === 0 && kind === "schemas"))
        this.#fault(at, "must be a list of schemas", "a list of schemas", inner);
      else for (const [i, one] of inner.entries()) this.read(one, `${at}/${i}`, resource);
    } else if (!isObject(inner)) {
      this.#fault(at, "must be an object of schemas", "an object of schemas", inner);
    } else {
      for (const [name, one] of Object.entries(inner)) {
        const place = `${at}/${stepOf(name)}`;
        if (at.endsWith("/patternProperties") && !this.#patternFits(name, place)) continue;
        if (kind !== "dependencies" || !Array.isArray(one)) this.read(one, place, resource);
        else if (!one.every((item) => typeof item === "string"))
          this.#fault(place, "must be a list of names", "a list of names", one);
      }
    }
  }

  #readValue(name: string, value: unknown, at: string, pointer: string, resource: Resource): void {
    if (name === "$schema" && resource.pointer !== pointer)
      this.#fault(at, "$schema stands at the top, or beside an $id", "no $schema here", value);
    if (name === "pattern") this.#patternFits(String(value), at);
    if (name === "$anchor" || name === "$dynamicAnchor") this.#anchor(String(value), name, at, pointer, resource);
  }

  #anchor(name: string, keyword: string, at: string, pointer: string, { anchors, dynamicAnchors }: Resource): void {
    if ((anchors.get(name) ?? pointer) !== pointer)
      this.#fault(at, "There is an anchor of this name already", "a name of its own", name);
    anchors.set(name, pointer);
    if (keyword === "$dynamicAnchor") dynamicAnchors.set(name, pointer);
  }

  #patternFits(pattern: string, at: string): boolean {
    if (pattern.length <= MAX_PATTERN_LENGTH) return true;
    const limit = `at most ${MAX_PATTERN_LENGTH} characters`;
    this.faults.push(fault(at, `The pattern is too long: limit is ${MAX_PATTERN_LENGTH}`, limit, `${pattern.length}`));
    return false;
  }

  /** The resource a subschema belongs to: a new one where it has an `$id`. */
  #resourceOf(value: boolean | Node, pointer: string, around: Resource | undefined): Resource | undefined {
    const node: Node = typeof value === "boolean" ? {} : value;
    let draft = around?.draft ?? "2020-12";
    const top = around === undefined || typeof node["$id"] === "string";
    if (top && node["$schema"] !== undefined) {
      const named = draftOf(node["$schema"]);
      if (named === undefined) {
        const known =
          "http://json-schema.org/draft-07/schema# or https://json-schema.org/draft/2019-09/schema or …/2020-12/schema";
        this.#fault(`${pointer}/$schema`, "is not a draft known here", known, node["$schema"]);
        return undefined;
      }
      draft = named;
    }
    const id = draft === "draft-07" && Object.hasOwn(node, "$ref") ? undefined : node["$id"];
    if (typeof id !== "string" || (draft === "draft-07" && id.startsWith("#"))) {
      const resource = around ?? this.#open(NO_BASE, pointer, draft, node);
      // Draft 7: an $id that is a fragment alone is an anchor.
      if (typeof id === "string") this.#anchor(id.slice(1), "$id", `${pointer}/$id`, pointer, resource);
      return resource;
    }
    const uri = resolveUri(id, around?.uri ?? NO_BASE);
    const [address = "", fragment = ""] = uri?.split("#") ?? [];
    if (uri === undefined || fragment !== "") {
      this.#fault(`${pointer}/$id`, "$id must be a URI without a fragment", "a URI without a fragment", id);
      return undefined;
    }
    if (this.resources.has(address)) {
      this.#fault(`${pointer}/$id`, "There is a schema of this $id already", "an $id of its own", id);
      return undefined;
    }
    return this.#open(address, pointer, draft, node);
  }

  #open(uri: string, pointer: string, draft: Draft, node: Node): Resource {
    const recursive = draft === "2019-09" && node["$recursiveAnchor"] === true;
    const resource = { uri, pointer, draft, anchors: new Map(), dynamicAnchors: new Map(), recursive };
    this.resources.set(uri, resource);
    return resource;
  }

  #unknown(at: string, name: string, draft: Draft): void {
    this.faults.push(fault(at, "is an unknown keyword", `a keyword of JSON Schema ${draft}`, JSON.stringify(name)));
  }

  #fault(path: string, message: string, expected: string, received: unknown): void {
    this.faults.push(fault(path, message, expected, JSON.stringify(received)?.slice(0, 100) ?? "nothing"));
  }
}

function fault(path: string, message: string, expected: string, received: string): SchemaFault {
  return { path, message, expected, received };
}

/** A reference as an absolute URI; `undefined`: it is none. */
export function resolveUri(reference: string, base: string): string | undefined {
  if (reference.startsWith("#") || reference === "") return base + reference;
  return URL.canParse(reference, base) ? new URL(reference, base).href : undefined;
}

function isObject(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isExactNumber(value);
}
