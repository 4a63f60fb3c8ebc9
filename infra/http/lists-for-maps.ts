/**
 * Lists where a map is meant. To valibot a list is an object like any other: `[]` has no member that does not fit, and
 * `["a"]` is a map of `0` to `a`.
 */
import * as v from "valibot";
import type { ProblemIssue } from "./problem.ts";

/** The parts of valibot's schemas that lead to others. */
interface Node extends v.GenericSchema {
  readonly entries?: Readonly<Record<string, Node>>;
  readonly value?: Node;
  readonly item?: Node;
  readonly items?: readonly Node[];
  readonly wrapped?: Node;
  readonly options?: readonly Node[];
}

const MAPS: ReadonlySet<string> = new Set(["object", "strict_object", "loose_object", "object_with_rest", "record"]);
const MAX_LISTS = 50;

/** Every place (at most 50) of a value that is a list and should be a map. */
export function listsForMaps(schema: v.GenericSchema, value: unknown, prefix = ""): ProblemIssue[] {
  const found: ProblemIssue[] = [];
  look(schema as Node, value, prefix, found);
  return found;
}

function look(schema: Node, value: unknown, path: string, found: ProblemIssue[]): void {
  if (typeof value !== "object" || value === null || found.length >= MAX_LISTS) return;
  if (schema.wrapped !== undefined) return look(schema.wrapped, value, path, found);
  if ((schema.type === "union" || schema.type === "variant") && schema.options !== undefined)
    return lookAtOptions(schema.options, value, path, found);
  if (MAPS.has(schema.type)) {
    if (Array.isArray(value))
      return void found.push({ path, message: "must be an object, not a list", expected: "Object", received: "Array" });
    const members = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(members)) {
      const member = schema.type === "record" ? schema.value : ownEntry(schema, name);
      if (member !== undefined) look(member, members[name], `${path}/${pointerTo(name)}`, found);
    }
    return;
  }
  if (!Array.isArray(value)) return;
  for (const [i, item] of value.entries()) {
    const member = schema.item ?? schema.items?.[i];
    if (member !== undefined) look(member, item, `${path}/${i}`, found);
  }
}

/** The value is meant for one of them: a list is wrong unless one takes it as a list. */
function lookAtOptions(options: readonly Node[], value: unknown, path: string, found: ProblemIssue[]): void {
  let fewest: readonly ProblemIssue[] | undefined;
  for (const option of options) {
    const here: ProblemIssue[] = [];
    look(option, value, path, here);
    if (here.length === 0) {
      if (v.safeParse(option, value).success) return;
      continue; // it says itself why not
    }
    if (fewest === undefined || here.length < fewest.length) fewest = here;
  }
  found.push(...(fewest ?? []));
}

function ownEntry({ entries }: Node, name: string): Node | undefined {
  return entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : undefined;
}

function pointerTo(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
