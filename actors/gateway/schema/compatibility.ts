import { compareNumbers, equalJson, isNumber } from "#infra/json/exact.ts";
/**
 * Whether a schema still takes everything that another one takes.
 *
 * Whether one schema includes another cannot be decided in general; this looks at the structure, and where that does
 * not show it, says no. One thing is taken on trust: a property that the old schema did not speak of was not sent.
 */
import { stepOf } from "#infra/json/pointer.ts";
import type { Difference, JsonSchema } from "./messages.ts";

type Node = Readonly<Record<string, unknown>>;

/** They say something about the data, and refuse none. */
const ANNOTATIONS: ReadonlySet<string> = new Set(
  "title description default examples $comment deprecated readOnly writeOnly contentEncoding contentMediaType contentSchema".split(
    " ",
  ),
);
/** A new value may only be looser: smaller for these, */
const LOWER_BOUNDS: ReadonlySet<string> = new Set(
  "minimum exclusiveMinimum minLength minItems minProperties".split(" "),
);
/** larger for these. */
const UPPER_BOUNDS: ReadonlySet<string> = new Set(
  "maximum exclusiveMaximum maxLength maxItems maxProperties".split(" "),
);
/** What they refuse depends on others beside them: taking one away may make a schema stricter. */
const ENTANGLED: ReadonlySet<string> = new Set(
  "$schema $id $anchor $dynamicAnchor $recursiveAnchor $ref $dynamicRef $recursiveRef if then else contains minContains maxContains unevaluatedProperties unevaluatedItems prefixItems additionalItems patternProperties".split(
    " ",
  ),
);
const HANDLED: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "const",
  "required",
  "properties",
  "additionalProperties",
  "items",
]);
const MAX_DIFFERENCES = 20;

/** Every place (at most 20) where `next` may refuse what `before` takes; none when it takes all of it. */
export function differences(before: JsonSchema, next: JsonSchema): Difference[] {
  const found: Difference[] = [];
  compare(before, next, "", (path, message) => void found.push({ path, message }));
  return found.slice(0, MAX_DIFFERENCES);
}

type Report = (path: string, message: string) => void;

function compare(before: unknown, next: unknown, path: string, report: Report): void {
  if (same(before, next) || next === true || before === false) return;
  if (next === false) return report(path, "nothing is valid here any more");
  const a: Node = before === true ? {} : (before as Node);
  const b = next as Node;
  compareTypes(a, b, path, report);
  compareValues(a, b, path, report);
  compareObjects(a, b, path, report);
  if (Array.isArray(a["items"]) || Array.isArray(b["items"])) {
    if (!same(a["items"], b["items"])) report(`${path}/items`, "was changed, and what that refuses cannot be told");
  } else if (b["items"] !== undefined) {
    if (a["items"] === undefined && b["items"] !== true) report(`${path}/items`, "items are checked that were not");
    else compare(a["items"], b["items"], `${path}/items`, report);
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) compareKeyword(key, a[key], b[key], path, report);
}

function compareKeyword(key: string, before: unknown, next: unknown, path: string, report: Report): void {
  if (HANDLED.has(key) || ANNOTATIONS.has(key) || same(before, next)) return;
  const at = `${path}/${stepOf(key)}`;
  if (ENTANGLED.has(key)) return report(at, "was changed, and what that refuses cannot be told");
  if (next === undefined) return;
  if (LOWER_BOUNDS.has(key) || UPPER_BOUNDS.has(key)) {
    const looser =
      isNumber(before) &&
      isNumber(next) &&
      (LOWER_BOUNDS.has(key) ? compareNumbers(next, before) <= 0 : compareNumbers(next, before) >= 0);
    if (!looser)
      report(
        at,
        `is stricter: was ${before === undefined ? "absent" : JSON.stringify(before)}, is ${JSON.stringify(next)}`,
      );
    return;
  }
  if (key === "uniqueItems" && next === false) return;
  report(at, before === undefined ? "was added" : "was changed, and what that refuses cannot be told");
}

function compareTypes(a: Node, b: Node, path: string, report: Report): void {
  if (b["type"] === undefined) return;
  const allowed = typesOf(b["type"]);
  if (a["type"] === undefined) return report(`${path}/type`, `only ${allowed.join(", ")} is valid now`);
  const lost = typesOf(a["type"]).filter(
    (type) => !allowed.includes(type) && !(type === "integer" && allowed.includes("number")),
  );
  if (lost.length > 0) report(`${path}/type`, `${lost.join(", ")} is no longer valid`);
}

function compareValues(a: Node, b: Node, path: string, report: Report): void {
  const allowed = valuesOf(b);
  if (allowed === undefined) return;
  const keyword = b["enum"] === undefined ? "const" : "enum";
  const known = valuesOf(a);
  if (known === undefined) return report(`${path}/${keyword}`, "only some values are valid now");
  const lost = known.filter((value) => !allowed.some((other) => same(value, other)));
  if (lost.length > 0) report(`${path}/${keyword}`, `${lost.map(shown).join(", ")} is no longer valid`);
}

function compareObjects(a: Node, b: Node, path: string, report: Report): void {
  const had = (a["properties"] ?? {}) as Node;
  const has = (b["properties"] ?? {}) as Node;
  const wasRequired = (a["required"] ?? []) as readonly string[];
  for (const name of (b["required"] ?? []) as readonly string[]) {
    if (!wasRequired.includes(name)) report(`${path}/required`, `"${name}" was not required`);
  }
  for (const [name, schema] of Object.entries(has)) {
    const at = `${path}/properties/${stepOf(name)}`;
    if (Object.hasOwn(had, name)) compare(had[name], schema, at, report);
    else if (typeof a["additionalProperties"] === "object") compare(a["additionalProperties"], schema, at, report);
  }
  const further = b["additionalProperties"] ?? true;
  const furtherBefore = a["additionalProperties"] ?? true;
  for (const [name, schema] of Object.entries(had)) {
    if (!Object.hasOwn(has, name) && schema !== false)
      compare(schema, further, `${path}/additionalProperties`, (at, message) => report(at, `"${name}": ${message}`));
  }
  compare(furtherBefore, further, `${path}/additionalProperties`, report);
}

function typesOf(type: unknown): readonly string[] {
  return Array.isArray(type) ? (type as string[]) : [type as string];
}

function valuesOf(node: Node): readonly unknown[] | undefined {
  if (Array.isArray(node["enum"])) return node["enum"];
  return "const" in node ? [node["const"]] : undefined;
}

function same(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalJson(a, b);
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 50);
}
