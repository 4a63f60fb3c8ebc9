/** Keywords about lists. */
import { canonicalJson, type JsonNumber } from "#infra/json/exact.ts";
import type { Build } from "./build.ts";
import type { Check } from "./run.ts";

/** Items from `from` on, each by the same subschema. */
function itemsFrom(from: number, check: Check): Check {
  return (value, place, run, seen) => {
    if (!Array.isArray(value)) return true;
    let fits = true;
    for (let i = from; i < value.length; i++)
      fits = check(value[i], { around: place, step: i }, run, undefined) && fits;
    if (seen !== undefined) seen.items = Infinity;
    return fits;
  };
}

/** The first items, each by a subschema of its own. */
function firstItems(checks: readonly Check[]): Check {
  return (value, place, run, seen) => {
    if (!Array.isArray(value)) return true;
    let fits = true;
    for (const [i, check] of checks.entries()) {
      if (i >= value.length) break;
      fits = check(value[i], { around: place, step: i }, run, undefined) && fits;
    }
    if (seen !== undefined) seen.items = Math.max(seen.items, checks.length);
    return fits;
  };
}

const listOf = (keyword: string): Build => {
  return (schemas: readonly unknown[], { at, checkAt }) =>
    firstItems(schemas.map((_, i) => checkAt(`${at.pointer}/${keyword}/${i}`)));
};

const items: Build = (schema: unknown, site) => {
  if (Array.isArray(schema)) return listOf("items")(schema as never, site);
  const prefix = site.at.resource.draft === "2020-12" ? site.node["prefixItems"] : undefined;
  return itemsFrom(Array.isArray(prefix) ? prefix.length : 0, site.checkAt(`${site.at.pointer}/items`));
};

/** Drafts up to 2019-09: the items after those of a list. */
const additionalItems: Build = (_: unknown, { at, node, checkAt }) =>
  Array.isArray(node["items"]) ? itemsFrom(node["items"].length, checkAt(`${at.pointer}/additionalItems`)) : undefined;

function sizeOf(limit: unknown): number | undefined {
  return limit === undefined ? undefined : Number(JSON.stringify(limit));
}

const contains: Build = (_: unknown, { at, node, checkAt }) => {
  const { draft } = at.resource;
  const check = checkAt(`${at.pointer}/contains`);
  const counts = draft !== "draft-07";
  const min = (counts ? sizeOf(node["minContains"]) : undefined) ?? 1;
  const max = (counts ? sizeOf(node["maxContains"]) : undefined) ?? Infinity;
  return (value, place, run, seen) => {
    if (!Array.isArray(value)) return true;
    let found = 0;
    for (const [i, item] of value.entries()) {
      if (!run.quietly(check, item, { around: place, step: i }, undefined)) continue;
      found++;
      // An annotation since 2020-12.
      if (draft === "2020-12") seen?.indexes.add(i);
    }
    if (found < min) return run.misfit(place, `must contain at least ${min} fitting`, `at least ${min} fitting`, value);
    return found <= max || run.misfit(place, `must contain at most ${max} fitting`, `at most ${max} fitting`, value);
  };
};

const unevaluatedItems: Build = (_: unknown, { at, checkAt }) => {
  const check = checkAt(`${at.pointer}/unevaluatedItems`);
  return (value, place, run, seen) => {
    if (!Array.isArray(value)) return true;
    let fits = true;
    for (let i = Math.min(seen?.items ?? 0, value.length); i < value.length; i++) {
      if (seen?.indexes.has(i) === true) continue;
      fits = check(value[i], { around: place, step: i }, run, undefined) && fits;
    }
    if (seen !== undefined) seen.items = Infinity;
    return fits;
  };
};

function size(says: string, fits: (size: number, limit: number) => boolean): Build {
  return (limit: JsonNumber) => {
    const max = Number(JSON.stringify(limit));
    const expected = `${says} ${max} ${max === 1 ? "item" : "items"}`;
    return (value, place, run) =>
      !Array.isArray(value) || fits(value.length, max) || run.misfit(place, `must have ${expected}`, expected, value);
  };
}

const uniqueItems: Build = (wanted: boolean) => {
  if (!wanted) return undefined;
  return (value, place, run) => {
    if (!Array.isArray(value)) return true;
    const known = new Set<string>();
    for (const item of value) {
      const text = canonicalJson(item);
      run.spend(1 + (text.length >> 3));
      if (known.has(text)) return run.misfit(place, "must have different items", "different items", value);
      known.add(text);
    }
    return true;
  };
};

export const ARRAY_CHECKS: Readonly<Record<string, Build>> = {
  prefixItems: listOf("prefixItems"),
  items,
  additionalItems,
  contains,
  unevaluatedItems,
  minItems: size("at least", (count, limit) => count >= limit),
  maxItems: size("at most", (count, limit) => count <= limit),
  uniqueItems,
};
