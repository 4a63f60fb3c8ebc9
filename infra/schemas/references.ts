import { keyOf, stepOf } from "#infra/json/pointer.ts";
import { resolveUri, type SchemaDocument, type Subschema } from "./document.ts";
import { type SchemaFault } from "./misfit.ts";

/** Where a reference leads. */
export interface Target {
  readonly pointer: string;
  /** The name of the `$dynamicAnchor` it leads to; `undefined`: to none. */
  readonly dynamic: string | undefined;
}

/** Finds what references lead to, all of it within the document. */
export class References {
  readonly #document: SchemaDocument;

  constructor(document: SchemaDocument) {
    this.#document = document;
  }

  /** @returns `undefined`: there is no schema at that place. */
  find(reference: string, from: Subschema): Target | undefined {
    const [address = "", fragment = ""] = resolveUri(reference, from.resource.uri)?.split("#") ?? [];
    const resource = this.#document.resources.get(address);
    if (resource === undefined) return undefined;
    const name = decoded(fragment);
    if (name === undefined) return undefined;
    if (name !== "" && !name.startsWith("/")) {
      const pointer = resource.anchors.get(name);
      return pointer === undefined
        ? undefined
        : { pointer, dynamic: resource.dynamicAnchors.has(name) ? name : undefined };
    }
    const pointer =
      resource.pointer +
      name
        .split("/")
        .map((step) => stepOf(keyOf(step)))
        .join("/");
    return this.#document.subschemas.has(pointer) ? { pointer, dynamic: undefined } : undefined;
  }

  subschema(pointer: string): Subschema | undefined {
    return this.#document.subschemas.get(pointer);
  }
}

function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

const IN_PLACE = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"];

/** A subschema that leads to itself at the same value, which no check could end; `undefined`: there is none. */
export function loopIn({ subschemas }: SchemaDocument, references: References): SchemaFault | undefined {
  const done = new Set<string>();
  const open = new Set<string>();
  const visit = (at: Subschema): string | undefined => {
    if (done.has(at.pointer) || typeof at.value === "boolean") return undefined;
    if (open.has(at.pointer)) return at.pointer;
    open.add(at.pointer);
    for (const pointer of next(at)) {
      const target = subschemas.get(pointer);
      const loop = target === undefined ? undefined : visit(target);
      if (loop !== undefined) return loop;
    }
    open.delete(at.pointer);
    done.add(at.pointer);
    return undefined;
  };
  const next = ({ pointer, value }: Subschema): string[] => {
    const node = value as Readonly<Record<string, unknown>>;
    const alone = Object.hasOwn(node, "$ref") && subschemas.get(pointer)?.resource.draft === "draft-07";
    const places = (alone ? [] : IN_PLACE).flatMap((name) => placesBelow(node[name], `${pointer}/${name}`));
    const from = subschemas.get(pointer) as Subschema;
    const targets = REFERENCES.flatMap((name) => {
      const reference = node[name];
      return typeof reference === "string" ? (references.find(reference, from)?.pointer ?? []) : [];
    });
    return [...places, ...targets];
  };
  for (const at of subschemas.values()) {
    const loop = visit(at);
    if (loop !== undefined)
      return { path: loop, message: "leads to itself without end", expected: "a way that ends", received: "a circle" };
  }
  return undefined;
}

function placesBelow(inner: unknown, at: string): string[] {
  if (typeof inner !== "object" || inner === null) return [];
  return [at, ...Object.keys(inner).map((name) => `${at}/${stepOf(name)}`)];
}
