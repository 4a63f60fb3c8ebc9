import type { AnyActorType, StateOutput } from "../actor/any-actor.ts";
import type { IndexValue } from "../actor/indexable.ts";
import { compareText } from "../base/text-order.ts";
import type { FieldValue, IndexCondition } from "../ports/store.ts";
import { type Bounds, encodeIndexValue, encodeRange } from "./value.ts";

/** The fields an actor type indexes. */
export type IndexedField<A extends AnyActorType> = NonNullable<A["options"]["index"]>[number];

/** What one field must be: a value, one of several, or within bounds, all of which must hold. */
export type FieldFilter<Value> =
  | Value
  | { readonly in: readonly Value[] }
  | { readonly [Bound in "gt" | "gte" | "lt" | "lte"]?: Extract<Value, string | number> };

/** What `troupe.where` looks for: indexed fields, all of which must fit. An actor without the field fits nothing. */
export type IndexFilter<A extends AnyActorType> = [IndexedField<A>] extends [never]
  ? Readonly<Record<string, never>>
  : {
      readonly [Field in IndexedField<A>]?: FieldFilter<
        Exclude<Field extends keyof StateOutput<A> ? StateOutput<A>[Field] : never, undefined>
      >;
    };

/** A filter that was read: what the store is asked, and what each state is checked against. */
export interface ReadFilter {
  readonly conditions: readonly IndexCondition[];
  matches(state: unknown): boolean;
}

type Clause =
  | { readonly field: string; readonly kind: "in"; readonly values: readonly IndexValue[] }
  | { readonly field: string; readonly kind: "range"; readonly bounds: Bounds };

const BOUNDS: ReadonlySet<string> = new Set(["gt", "gte", "lt", "lte"]);

/** The fields of a type's index, sorted: the order the store compares them in. */
export function fieldsOf(type: AnyActorType): readonly string[] {
  return (type.options.index ?? []).toSorted();
}

/** What the index holds for a state. `undefined` as the state: the actor is gone. */
export function indexedValues(fields: readonly string[], state: unknown): FieldValue[] {
  return fields.map((field) => ({ field, value: encodeIndexValue(member(state, field)) }));
}

/** All indexed values of a state, or `undefined` when they are those `before`. */
export function changedIndex(
  type: AnyActorType,
  state: unknown,
  before: readonly FieldValue[] | undefined,
): readonly FieldValue[] | undefined {
  const values = indexedValues(type.options.index ?? [], state);
  return before !== undefined && values.every(({ value }, i) => value === before[i]?.value) ? undefined : values;
}

/**
 * Reads a filter as it came.
 * @throws {TypeError} for a field that is not indexed, naming those that are, and for a value no field can have.
 */
export function readFilter(type: AnyActorType, filter: Readonly<Record<string, unknown>>): ReadFilter {
  const clauses = Object.entries(filter).map(([field, wanted]) => readClause(type, field, wanted));
  return {
    conditions: clauses.map(toCondition),
    matches: (state) => clauses.every((clause) => fits(clause, member(state, clause.field))),
  };
}

function readClause(type: AnyActorType, field: string, wanted: unknown): Clause {
  const indexed = fieldsOf(type);
  if (!indexed.includes(field)) {
    const there = indexed.length === 0 ? "none is" : `indexed are ${indexed.join(", ")}`;
    throw new TypeError(`Cannot filter ${type.type} by "${field}" as it is not indexed: ${there}`);
  }
  if (isValue(wanted)) return { field, kind: "in", values: [wanted] };
  if (typeof wanted === "object" && wanted !== null) {
    const entries = Object.entries(wanted) as [string, unknown][];
    const [first] = entries;
    if (entries.length === 1 && first?.[0] === "in" && Array.isArray(first[1]) && first[1].every(isValue)) {
      return { field, kind: "in", values: first[1] };
    }
    const kinds = new Set(entries.map(([, bound]) => typeof bound));
    const areBounds = entries.every(
      ([name, bound]) => BOUNDS.has(name) && isValue(bound) && (typeof bound === "number" || typeof bound === "string"),
    );
    if (areBounds && kinds.size === 1) return { field, kind: "range", bounds: wanted as Bounds };
  }
  throw new TypeError(
    `Cannot filter ${type.type} by "${field}": expected a string, number, boolean or null, { in: […] }, or gt, gte, lt and lte of one kind`,
  );
}

function toCondition(clause: Clause): IndexCondition {
  const { field } = clause;
  if (clause.kind === "range") return { field, ...encodeRange(clause.bounds) };
  return { field, values: clause.values.flatMap((value) => encodeIndexValue(value) ?? []) };
}

function fits(clause: Clause, value: unknown): boolean {
  if (clause.kind === "in") return clause.values.some((wanted) => wanted === value);
  const { gt, gte, lt, lte } = clause.bounds;
  const against = (bound: string | number, holds: (order: number) => boolean): boolean => {
    const order = compare(value, bound);
    return order !== undefined && holds(order);
  };
  return (
    (gt === undefined || against(gt, (order) => order > 0)) &&
    (gte === undefined || against(gte, (order) => order >= 0)) &&
    (lt === undefined || against(lt, (order) => order < 0)) &&
    (lte === undefined || against(lte, (order) => order <= 0))
  );
}

/** How a value stands to a bound; `undefined` when they are not of one kind. */
function compare(value: unknown, bound: string | number): number | undefined {
  if (typeof value === "number" && typeof bound === "number") return value - bound;
  if (typeof value === "string" && typeof bound === "string") {
    return compareText(value.toWellFormed(), bound.toWellFormed());
  }
  return undefined;
}

function isValue(value: unknown): value is IndexValue {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value))
  );
}

function member(state: unknown, field: string): unknown {
  if (typeof state !== "object" || state === null || !Object.hasOwn(state, field)) return undefined;
  return (state as Readonly<Record<string, unknown>>)[field];
}
