import * as v from "valibot";
import { suggest } from "#infra/base/suggest.ts";
import { holdsExactNumbers, isExactNumber } from "#infra/json/exact.ts";
import { pointerOf } from "#infra/json/pointer.ts";
import { listsForMaps } from "#runtime/internal";
import { Problem, type ProblemIssue } from "./problem.ts";

/** Unknown members named in one answer, at most. */
const MAX_UNKNOWN = 50;
/** Members that are looked at for the sake of naming further unknown ones: each costs another look at the whole. */
const MAX_LOOKED_AT = 20_000;
/** Characters of a value that are shown back. */
const MAX_SHOWN = 100;

/**
 * A value that fits its schema, or every place where it does not.
 * @param prefix put before each path: empty for a body (JSON pointers), `query`, `path` or `header` for the others.
 */
export function check<S extends v.GenericSchema>(schema: S, value: unknown, prefix = ""): v.InferOutput<S> {
  // To valibot a number that is kept as its text is an object, which it would look into.
  if (holdsExactNumbers(value)) checkOnce(schema, rounded(value), prefix);
  return checkOnce(schema, value, prefix);
}

function checkOnce<S extends v.GenericSchema>(schema: S, value: unknown, prefix: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  const places = listsForMaps(schema, value);
  if (result.success && places.length === 0) return result.output;
  throw unfit(
    schema,
    value,
    prefix,
    result.issues ?? [],
    places.map((place) => pointerOf(place)),
  );
}

/** What is wrong with a value, as far as it is shown. */
function unfit(
  schema: v.GenericSchema,
  value: unknown,
  prefix: string,
  known: readonly v.BaseIssue<unknown>[],
  lists: readonly string[],
): Problem {
  const found = known.length === 0 ? [] : [...known, ...furtherUnknown(schema, value, known)];
  // What is said of the members of such a list is beside the point.
  const others = found
    .map((issue) => (isUnknownMember(issue) ? unknownIssue(issue, schema) : toIssue(issue)))
    .filter(({ path }) => !lists.some((list) => path === list || path.startsWith(`${list}/`)));
  const issues = [...others, ...lists.map((path) => ({ path, ...LIST_FOR_MAP }))];
  return new Problem(422, "invalid_input", "The content does not fit: see errors", {
    issues: issues.map((issue) => ({ ...issue, path: prefix + issue.path })),
  });
}

const LIST_FOR_MAP = { message: "is a list where a map is meant", expected: "Object", received: "Array" };

/** One issue with its place as a JSON pointer. */
function toIssue(issue: v.BaseIssue<unknown>): ProblemIssue {
  const { expected, received } = issue;
  return {
    path: pointerOf((issue.path ?? []).map(({ key }) => String(key))),
    message: isMissing(issue) ? "is required" : shorten(issue.message),
    expected: isMissing(issue) ? "a value" : (expected ?? describe(issue)),
    received: shorten(received),
  };
}

/** A member that is not known, with the ones that are where that is on top of the value. */
function unknownIssue({ path }: v.BaseIssue<unknown>, schema: v.GenericSchema): ProblemIssue {
  const names = (path ?? []).map(({ key }) => String(key));
  const known = names.length === 1 && "entries" in schema ? Object.keys(schema.entries as object) : undefined;
  const meant = known === undefined ? undefined : suggest(names[0] ?? "", known);
  return {
    path: pointerOf(names),
    message: meant === undefined ? "is not a known member" : `is not a known member: did you mean ${meant}?`,
    expected: known === undefined || known.length === 0 ? "no such member" : `one of ${known.join(", ")}`,
    received: "a value",
  };
}

/**
 * A strict object names only its first unknown member: takes each one out of a copy and asks again. The larger the value,
 * the fewer are named: an answer must not cost more than its question.
 */
function furtherUnknown(
  schema: v.GenericSchema,
  value: unknown,
  issues: readonly v.BaseIssue<unknown>[],
): v.BaseIssue<unknown>[] {
  const found: v.BaseIssue<unknown>[] = [];
  let unknown = issues.filter(isUnknownMember);
  if (unknown.length === 0) return found;
  let looks = Math.floor(MAX_LOOKED_AT / membersOf(value, MAX_LOOKED_AT));
  if (looks === 0) return found;
  const copy = rounded(value);
  while (unknown.length > 0 && found.length < MAX_UNKNOWN && looks-- > 0) {
    for (const issue of unknown) removeMember(copy, issue.path ?? []);
    unknown = (v.safeParse(schema, copy).issues ?? []).filter(isUnknownMember);
    found.push(...unknown);
  }
  return found.slice(0, MAX_UNKNOWN);
}

/** A copy of a JSON value whose numbers are all plain ones. */
function rounded(value: unknown): unknown {
  if (isExactNumber(value)) return Number(value.rawJSON);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(rounded);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]));
}

/** How many values a value is made of; counting ends above `enough`. */
function membersOf(value: unknown, enough: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let members = 1;
  for (const key in value) {
    members += membersOf((value as Record<string, unknown>)[key], enough - members);
    if (members > enough) break;
  }
  return members;
}

function removeMember(root: unknown, path: readonly { readonly key?: unknown }[]): void {
  const keys = path.map(({ key }) => String(key));
  const last = keys.pop();
  let at = root;
  for (const key of keys)
    at =
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined;
  if (typeof at === "object" && at !== null && last !== undefined) delete (at as Record<string, unknown>)[last];
}

function isUnknownMember(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

function isMissing(issue: v.BaseIssue<unknown>): boolean {
  const last = issue.path?.at(-1);
  return issue.received === "undefined" && last !== undefined && "origin" in last && last.origin === "key";
}

function describe(issue: v.BaseIssue<unknown>): string {
  return issue.requirement === undefined ? issue.type : `${issue.type} ${shorten(String(issue.requirement))}`;
}

function shorten(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
