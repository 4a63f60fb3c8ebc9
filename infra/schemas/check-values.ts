/** Keywords about a value by itself: its type, its size, its text. */
import { canonicalJson, compareNumbers, isMultipleOf, isNumber, isWhole, type JsonNumber } from "#infra/json/exact.ts";
import { type Build, SchemaError } from "./build.ts";
import { FORMATS } from "./formats.ts";
import { shorten, shown } from "./misfit.ts";
import { compilePattern, NOT_RE2, type Pattern } from "./pattern.ts";
import type { Check } from "./run.ts";

/** The type of a value; whole numbers are `number`. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (isNumber(value)) return "number";
  return typeof value;
}

function hasType(value: unknown, type: string): boolean {
  return type === "integer" ? isNumber(value) && isWhole(value) : typeOf(value) === type;
}

const type: Build = (type: string | readonly string[]) => {
  const types = typeof type === "string" ? [type] : type;
  const expected = types.join(" or ");
  return (value, place, run) => hasOneOf(value, types) || run.misfit(place, `must be ${expected}`, expected, value);
};

/** A loop, as every value of every event is asked for its type: a closure would cost more than the question. */
function hasOneOf(value: unknown, types: readonly string[]): boolean {
  for (const type of types) if (hasType(value, type)) return true;
  return false;
}

const MAX_VALUES_SHOWN = 200;

function oneOf(values: readonly unknown[]): Check {
  const known = new Set(values.map(canonicalJson));
  const list = values.map((value) => JSON.stringify(value)).join(", ");
  const expected = list.length <= MAX_VALUES_SHOWN ? list : `${list.slice(0, MAX_VALUES_SHOWN)}…`;
  const scalar = values.every((value) => typeof value !== "object" || value === null || isNumber(value));
  return (value, place, run) => {
    if (scalar && typeof value === "object" && value !== null && !isNumber(value))
      return run.misfit(place, `must be ${values.length === 1 ? "" : "one of "}${expected}`, expected, value);
    const text = canonicalJson(value);
    run.spend(text.length >> 4);
    return (
      known.has(text) ||
      run.misfit(place, `must be ${values.length === 1 ? "" : "one of "}${expected}`, expected, value)
    );
  };
}

/** A number with more digits than this costs as much as a whole check may. */
const costOf = (value: JsonNumber): number => (typeof value === "number" ? 0 : (value.rawJSON.length ** 2) >> 4);

function bound(says: string, fits: (order: number) => boolean): Build {
  return (limit: JsonNumber) => {
    const expected = `${says} ${JSON.stringify(limit)}`;
    return (value, place, run) => {
      if (!isNumber(value)) return true;
      if (typeof value !== "number") run.spend(value.rawJSON.length);
      return fits(compareNumbers(value, limit)) || run.misfit(place, `must be ${expected}`, expected, value);
    };
  };
}

const multipleOf: Build = (divisor: JsonNumber) => {
  const expected = `a multiple of ${JSON.stringify(divisor)}`;
  return (value, place, run) => {
    if (!isNumber(value)) return true;
    run.spend(costOf(value));
    return isMultipleOf(value, divisor) || run.misfit(place, `must be ${expected}`, expected, value);
  };
};

function length(says: string, fits: (length: number, limit: number) => boolean): Build {
  return (limit: JsonNumber) => {
    const max = Number(JSON.stringify(limit));
    const expected = `${says} ${max} ${max === 1 ? "character" : "characters"}`;
    return (value, place, run) =>
      typeof value !== "string" ||
      fits(characters(value), max) ||
      run.misfit(place, `must have ${expected}`, expected, value);
  };
}

/** Code points: a pair of surrogates is one character. */
function characters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; count++) i += (text.codePointAt(i) as number) > 0xffff ? 2 : 1;
  return count;
}

/** @throws {SchemaError} at `step` */
export function patternAt(source: string, step: string): Pattern {
  const pattern = compilePattern(source);
  if (pattern === undefined) throw new SchemaError(step, NOT_RE2, "a pattern of RE2", shown(source));
  return pattern;
}

const pattern: Build = (source: string) => {
  const compiled = patternAt(source, "");
  const expected = `a text that matches ${shorten(source)}`;
  return (value, place, run) =>
    typeof value !== "string" || compiled.test(value, run) || run.misfit(place, `must be ${expected}`, expected, value);
};

const format: Build = (name: string) => {
  const fits = FORMATS.get(name);
  if (fits === undefined)
    throw new SchemaError("", "is a format that cannot be checked here", [...FORMATS.keys()].join(", "), shown(name));
  return (value, place, run) => {
    if (typeof value === "string") run.spend(value.length);
    return fits(value) || run.misfit(place, `must be of the format ${name}`, name, value);
  };
};

export const VALUE_CHECKS: Readonly<Record<string, Build>> = {
  type,
  enum: oneOf,
  const: (value: unknown) => oneOf([value]),
  minimum: bound("at least", (order) => order >= 0),
  maximum: bound("at most", (order) => order <= 0),
  exclusiveMinimum: bound("more than", (order) => order > 0),
  exclusiveMaximum: bound("less than", (order) => order < 0),
  multipleOf,
  minLength: length("at least", (size, limit) => size >= limit),
  maxLength: length("at most", (size, limit) => size <= limit),
  pattern,
  format,
};
