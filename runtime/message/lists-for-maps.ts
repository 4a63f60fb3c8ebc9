/**
 * Lists where maps are meant. To valibot an array is an object with the members `0`, `1`, …: `filter: []` would be a filter
 * without conditions, and `env: ["A=b"]` a variable named `0`. What a schema calls an object or a record is a map here, so a
 * list in its place does not fit.
 */
import { type GenericSchema, is } from "valibot";

/** Where a list stands for a map, as keys from the outside in. */
export type Place = readonly string[];

/** The parts of a valibot schema that hold further schemas. */
interface Shape {
  readonly type: string;
  readonly wrapped?: GenericSchema;
  readonly options?: readonly GenericSchema[];
  readonly entries?: Readonly<Record<string, GenericSchema>>;
  readonly items?: readonly GenericSchema[];
  readonly item?: GenericSchema;
  readonly rest?: GenericSchema;
  readonly key?: GenericSchema;
  readonly value?: GenericSchema;
  readonly getter?: (input: unknown) => GenericSchema;
}

const MAPS: ReadonlySet<string> = new Set(["object", "strict_object", "loose_object", "object_with_rest", "record"]);
const LISTS: ReadonlySet<string> = new Set(["array", "tuple", "strict_tuple", "loose_tuple", "tuple_with_rest"]);

/** Places that are named of one value, at most. */
const MAX_PLACES = 50;

/** Every place of a value that fits its schema, and yet is a list where the schema means a map. */
export function listsForMaps(schema: GenericSchema, value: unknown): readonly Place[] {
  if (!holdsList(value)) return [];
  // Both halves of an intersection may mean the same map.
  const places = new Map<string, Place>();
  for (const place of search(schema, value, [])) {
    places.set(JSON.stringify(place), place);
    if (places.size === MAX_PLACES) break;
  }
  return [...places.values()];
}

/** Most values hold no list at all, and need no look at their schema. */
function holdsList(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.values(value).some(holdsList);
}

function* search(schema: GenericSchema, value: unknown, place: Place): Generator<Place> {
  if (typeof value !== "object" || value === null) return;
  const shape = schema as unknown as Shape;
  if (shape.wrapped !== undefined) yield* search(shape.wrapped, value, place);
  else if (shape.getter !== undefined) yield* search(shape.getter(value), value, place);
  else if (shape.type === "intersect") for (const one of shape.options ?? []) yield* search(one, value, place);
  else if (shape.type === "union" || shape.type === "variant") yield* nearest(shape.options ?? [], value, place);
  else if (MAPS.has(shape.type)) yield* inMap(shape, value, place);
  else if (LISTS.has(shape.type) && Array.isArray(value)) yield* inList(shape, value, place);
}

function* inMap({ entries, rest, value: each }: Shape, value: object, place: Place): Generator<Place> {
  if (Array.isArray(value)) return yield place;
  for (const [name, member] of Object.entries(value)) {
    const schema = entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : (rest ?? each);
    if (schema !== undefined) yield* search(schema, member, [...place, name]);
  }
}

function* inList({ item, items = [], rest }: Shape, value: readonly unknown[], place: Place): Generator<Place> {
  for (const [i, member] of value.entries()) {
    const schema = item ?? items[i] ?? rest;
    if (schema !== undefined) yield* search(schema, member, [...place, String(i)]);
  }
}

/** Of several schemas the value goes by one that it fits; best by one that means no map where it has a list. */
function* nearest(options: readonly GenericSchema[], value: unknown, place: Place): Generator<Place> {
  const found = options.filter((option) => is(option, value)).map((option) => [...search(option, value, place)]);
  if (found.some((places) => places.length === 0)) return;
  yield* found[0] ?? [];
}
