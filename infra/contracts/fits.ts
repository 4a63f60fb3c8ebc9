import { keyOf, stepOf } from "#infra/json/pointer.ts";
import type { JsonSchema } from "./contract.ts";

/** A place where a value that one schema allows may be refused by the other. `pointer` leads into the schemas. */
export interface Misfit {
  readonly pointer: string;
  readonly narrow: unknown;
  readonly wide: unknown;
}

/** Keywords under which less is refused the larger, or the smaller, their number is. */
const UPPER = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
/** Keywords that cannot be compared but for being the same. */
const EXACT = ["pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType", "not", "if"];

/**
 * Where values of `narrow` would not be values of `wide`; nothing when every one of them is. Errs on the safe side: what
 * it cannot compare, it reports, unless both sides say the same.
 *
 * Fields that one side does not name are taken to be absent there, as no version sends what it does not know.
 */
export function misfits(narrow: JsonSchema, wide: JsonSchema): Misfit[] {
  return new Comparison(narrow, wide).compare(narrow, wide, "");
}

class Comparison {
  readonly #narrowRoot: JsonSchema;
  readonly #wideRoot: JsonSchema;
  /** Pairs of references that are being compared: a type that contains itself fits if the rest of it does. */
  readonly #open = new Set<string>();

  constructor(narrowRoot: JsonSchema, wideRoot: JsonSchema) {
    this.#narrowRoot = narrowRoot;
    this.#wideRoot = wideRoot;
  }

  compare(narrow: unknown, wide: unknown, pointer: string): Misfit[] {
    if (wide === true || wide === undefined || narrow === false) return [];
    if (!isSchema(narrow) || !isSchema(wide)) return [{ pointer, narrow, wide }];
    const refs = typeof narrow["$ref"] === "string" || typeof wide["$ref"] === "string";
    if (!refs && same(narrow, wide) && !JSON.stringify(narrow).includes('"$ref"')) return [];
    if (refs) return this.#references(narrow, wide, pointer);
    if (Array.isArray(wide["allOf"])) {
      const { allOf, ...rest } = wide;
      return [rest, ...(allOf as unknown[])].flatMap((part) => this.compare(narrow, part, pointer));
    }
    if (Array.isArray(narrow["allOf"])) return this.compare(flat(narrow), wide, pointer);
    const alternatives = choices(narrow);
    if (alternatives !== undefined) {
      return alternatives.flatMap((part, i) => this.compare(part, wide, `${pointer}/anyOf/${i}`));
    }
    const allowed = choices(wide);
    if (allowed !== undefined) {
      const fitting = allowed.some((part) => this.compare(narrow, part, pointer).length === 0);
      return fitting ? [] : [{ pointer, narrow, wide }];
    }
    return [
      ...this.#values(narrow, wide, pointer),
      ...this.#bounds(narrow, wide, pointer),
      ...this.#fields(narrow, wide, pointer),
      ...this.#items(narrow, wide, pointer),
    ];
  }

  #references(narrow: JsonSchema, wide: JsonSchema, pointer: string): Misfit[] {
    const pair = JSON.stringify([narrow["$ref"] ?? narrow, wide["$ref"] ?? wide]);
    if (this.#open.has(pair)) return [];
    this.#open.add(pair);
    const found = this.compare(resolved(narrow, this.#narrowRoot), resolved(wide, this.#wideRoot), pointer);
    this.#open.delete(pair);
    return found;
  }

  #values(narrow: JsonSchema, wide: JsonSchema, pointer: string): Misfit[] {
    const given = literals(narrow);
    const taken = literals(wide);
    if (taken !== undefined) {
      const refused = given?.some((value) => !taken.some((other) => same(value, other))) ?? true;
      return refused
        ? [difference(narrow, wide, pointer, "const" in wide && "const" in narrow ? "const" : "enum", given, taken)]
        : [];
    }
    const types = typesOf(wide);
    const mine = given === undefined ? typesOf(narrow) : given.map(typeOfValue);
    const fits = types === undefined || (mine?.every((type) => types.some((other) => covers(other, type))) ?? false);
    return fits ? [] : [{ pointer: `${pointer}/type`, narrow: narrow["type"] ?? given, wide: wide["type"] }];
  }

  #bounds(narrow: JsonSchema, wide: JsonSchema, pointer: string): Misfit[] {
    if (literals(narrow) !== undefined) return []; // a literal that broke a bound could not have been sent
    const found: string[] = EXACT.filter((name) => name in wide && !same(narrow[name], wide[name]));
    const beyond = (name: string, isBeyond: (mine: number, limit: number) => boolean): boolean => {
      const limit = wide[name];
      const mine = narrow[name];
      return typeof limit === "number" && (typeof mine !== "number" || isBeyond(mine, limit));
    };
    found.push(...UPPER.filter((name) => beyond(name, (mine, limit) => mine > limit)));
    found.push(...LOWER.filter((name) => beyond(name, (mine, limit) => mine < limit)));
    return found.map((name) => ({ pointer: `${pointer}/${name}`, narrow: narrow[name], wide: wide[name] }));
  }

  #fields(narrow: JsonSchema, wide: JsonSchema, pointer: string): Misfit[] {
    const mine = recordIn(narrow["properties"]);
    const others = recordIn(wide["properties"]);
    const given = new Set(namesIn(narrow["required"]));
    const missing = namesIn(wide["required"]).filter((name) => !given.has(name) && !isNever(narrow));
    const found: Misfit[] = missing.map((name) => ({
      pointer: `${pointer}/properties/${stepOf(name)}`,
      narrow: name in mine ? "optional" : undefined,
      wide: "required",
    }));
    const rest = wide["additionalProperties"];
    for (const [name, schema] of Object.entries(mine)) {
      const at = `${pointer}/properties/${stepOf(name)}`;
      if (name in others) found.push(...this.compare(schema, others[name], at));
      else if (rest !== undefined && rest !== true) {
        found.push(
          ...(rest === false ? [{ pointer: at, narrow: schema, wide: undefined }] : this.compare(schema, rest, at)),
        );
      }
    }
    if (isSchema(rest) && narrow["additionalProperties"] !== false && Object.keys(rest).length > 0) {
      found.push(...this.compare(narrow["additionalProperties"] ?? {}, rest, `${pointer}/additionalProperties`));
    }
    if ("propertyNames" in wide) {
      found.push(...this.compare(narrow["propertyNames"] ?? {}, wide["propertyNames"], `${pointer}/propertyNames`));
    }
    return found;
  }

  #items(narrow: JsonSchema, wide: JsonSchema, pointer: string): Misfit[] {
    const found: Misfit[] = [];
    const mine = listIn(narrow["prefixItems"]);
    listIn(wide["prefixItems"]).forEach((schema, i) => {
      found.push(...this.compare(mine[i] ?? narrow["items"] ?? {}, schema, `${pointer}/prefixItems/${i}`));
    });
    if ("items" in wide) found.push(...this.compare(narrow["items"] ?? {}, wide["items"], `${pointer}/items`));
    return found;
  }
}

function difference(
  narrow: JsonSchema,
  wide: JsonSchema,
  pointer: string,
  keyword: string,
  given: readonly unknown[] | undefined,
  taken: readonly unknown[],
): Misfit {
  const single = keyword === "const";
  return {
    pointer: `${pointer}/${keyword}`,
    narrow: given === undefined ? (narrow["type"] ?? narrow) : single ? given[0] : given,
    wide: single ? wide["const"] : taken,
  };
}

function choices(schema: JsonSchema): readonly unknown[] | undefined {
  const list = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(list)) return list as unknown[];
  const types = schema["type"];
  return Array.isArray(types) ? (types as unknown[]).map((type) => ({ ...schema, type })) : undefined;
}

/** One schema of several that all hold: keywords of later ones win, fields and required names add up. */
function flat(schema: JsonSchema): JsonSchema {
  const { allOf, ...rest } = schema;
  const parts = [rest, ...(allOf as JsonSchema[])].map((part) => (Array.isArray(part["allOf"]) ? flat(part) : part));
  return {
    ...Object.assign({}, ...parts),
    properties: Object.assign({}, ...parts.map((part) => recordIn(part["properties"]))) as unknown,
    required: [...new Set(parts.flatMap((part) => namesIn(part["required"])))],
  };
}

function literals(schema: JsonSchema): readonly unknown[] | undefined {
  if ("const" in schema) return [schema["const"]];
  return Array.isArray(schema["enum"]) ? (schema["enum"] as unknown[]) : undefined;
}

function typesOf(schema: JsonSchema): readonly string[] | undefined {
  return typeof schema["type"] === "string" ? [schema["type"]] : undefined;
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function covers(wide: string, narrow: string): boolean {
  return wide === narrow || (wide === "number" && narrow === "integer");
}

function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  if (ref === "#") return root;
  let at: unknown = root;
  for (const step of ref.replace(/^#\//, "").split("/")) {
    at = isSchema(at) ? at[keyOf(step)] : undefined;
  }
  return isSchema(at) ? at : {};
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether no object at all is a value of the schema: then it lacks no field. */
function isNever(schema: JsonSchema): boolean {
  const types = typesOf(schema);
  return types !== undefined && !types.includes("object");
}

function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  return isSchema(value) ? value : {};
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function namesIn(value: unknown): readonly string[] {
  return listIn(value).filter((name): name is string => typeof name === "string");
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [mine, others] = [Object.entries(a), new Map(Object.entries(b))];
  return mine.length === others.size && mine.every(([key, value]) => others.has(key) && same(value, others.get(key)));
}
