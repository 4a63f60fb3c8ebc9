/**
 * The keywords that are known, by draft: a closed list. A keyword that is not on it is refused, as it would check nothing.
 */
import { compareNumbers, isNumber, isWhole } from "#infra/json/exact.ts";

/** A draft of JSON Schema that schemas may be written in. */
export type Draft = "draft-07" | "2019-09" | "2020-12";

/** What stands behind a keyword: schemas of some form, or a value of its own. */
export type Holds =
  | { readonly kind: "schema" | "schemas" | "schemaMap" | "schemaOrSchemas" | "dependencies" }
  | { readonly kind: "value"; readonly expected: string; readonly fits: (value: unknown) => boolean };

const ALL: readonly Draft[] = ["draft-07", "2019-09", "2020-12"];
const SINCE_2019: readonly Draft[] = ["2019-09", "2020-12"];
const UNTIL_2019: readonly Draft[] = ["draft-07", "2019-09"];

const DRAFTS: ReadonlyMap<string, Draft> = new Map([
  ["json-schema.org/draft-07/schema", "draft-07"],
  ["json-schema.org/draft/2019-09/schema", "2019-09"],
  ["json-schema.org/draft/2020-12/schema", "2020-12"],
]);

/** The draft that `$schema` names, or `undefined`. */
export function draftOf(uri: unknown): Draft | undefined {
  return typeof uri === "string" ? DRAFTS.get(uri.replace(/^https?:\/\//, "").replace(/#$/, "")) : undefined;
}

const schema = { kind: "schema" } as const;
const schemas = { kind: "schemas" } as const;
const schemaMap = { kind: "schemaMap" } as const;

function value(expected: string, fits: (value: unknown) => boolean): Holds {
  return { kind: "value", expected, fits };
}

const isString = (text: unknown): text is string => typeof text === "string";
const text = value("a text", isString);
const flag = value("true or false", (one) => typeof one === "boolean");
const number = value("a number", isNumber);
const count = value("a whole number from 0", (one) => isNumber(one) && isWhole(one) && compareNumbers(one, 0) >= 0);
const anything = value("a value", () => true);
const list = value("a list", Array.isArray);
const NAME = /^[A-Za-z_][-A-Za-z0-9._]*$/;
const anchor = value("a name of letters, digits, -, _ and dots", (one) => isString(one) && NAME.test(one));
const names = value(
  "a list of different names",
  (one) => Array.isArray(one) && one.every(isString) && new Set(one).size === one.length,
);

/** The types there are. */
export const TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"] as const;
const isType = (one: unknown): boolean => (TYPES as readonly unknown[]).includes(one);
const type = value(
  `one of ${TYPES.join(", ")}, or a list of them`,
  (one) =>
    isType(one) || (Array.isArray(one) && one.length > 0 && one.every(isType) && new Set(one).size === one.length),
);

const KEYWORDS: ReadonlyMap<string, Holds> = new Map([
  ...of(ALL, schema, "not if then else contains additionalProperties propertyNames"),
  ...of(ALL, schemas, "allOf anyOf oneOf"),
  ...of(ALL, schemaMap, "properties patternProperties $defs definitions"),
  ...of(ALL, { kind: "dependencies" }, "dependencies"),
  ...of(UNTIL_2019, { kind: "schemaOrSchemas" }, "items"),
  ...of(UNTIL_2019, schema, "additionalItems"),
  ...of(["2020-12"], schema, "items"),
  ...of(["2020-12"], schemas, "prefixItems"),
  ...of(SINCE_2019, schema, "unevaluatedItems unevaluatedProperties contentSchema"),
  ...of(SINCE_2019, schemaMap, "dependentSchemas"),
  ...of(SINCE_2019, dependentRequired(), "dependentRequired"),
  ...of(ALL, type, "type"),
  ...of(ALL, list, "enum examples"),
  ...of(ALL, anything, "const default"),
  ...of(ALL, number, "minimum maximum exclusiveMinimum exclusiveMaximum"),
  ...of(
    ALL,
    value("a number above 0", (one) => isNumber(one) && compareNumbers(one, 0) > 0),
    "multipleOf",
  ),
  ...of(ALL, count, "minLength maxLength minItems maxItems minProperties maxProperties"),
  ...of(SINCE_2019, count, "minContains maxContains"),
  ...of(ALL, names, "required"),
  ...of(ALL, flag, "uniqueItems readOnly writeOnly deprecated"),
  ...of(ALL, text, "pattern format title description $comment $schema $id $ref contentEncoding contentMediaType"),
  ...of(SINCE_2019, anchor, "$anchor"),
  ...of(["2020-12"], anchor, "$dynamicAnchor"),
  ...of(["2020-12"], text, "$dynamicRef"),
  ...of(
    ["2019-09"],
    value("#", (one) => one === "#"),
    "$recursiveRef",
  ),
  ...of(["2019-09"], flag, "$recursiveAnchor"),
]);

function of(drafts: readonly Draft[], holds: Holds, words: string): [key: string, holds: Holds][] {
  return words.split(" ").flatMap((name) => drafts.map((draft): [string, Holds] => [`${name} ${draft}`, holds]));
}

function dependentRequired(): Holds {
  const fits = names.kind === "value" ? names.fits : () => false;
  return value(
    "lists of names, by name",
    (one) => typeof one === "object" && one !== null && !Array.isArray(one) && Object.values(one).every(fits),
  );
}

/** What a keyword holds in a draft; `undefined`: there is no such keyword. */
export function keywordIn(draft: Draft, name: string): Holds | undefined {
  return KEYWORDS.get(`${name} ${draft}`);
}
