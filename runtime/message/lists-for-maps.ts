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

const NONE: readonly Place[] = [];

/** Every place of a value that fits its schema, and yet is a list where the schema means a map. */
export function listsForMaps(schema: GenericSchema, value: unknown): readonly Place[] {
  if (!holdsList(value)) return NONE;
  const found: Place[] = [];
  search(schema, value, [], found);
  return found.length === 0 ? NONE : found;
}

/** Most values hold no list at all, and need no look at their schema. */
function holdsList(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  // Every message passes here: `for in` makes no list of the members.
  for (const name in value) if (holdsList((value as Record<string, unknown>)[name])) return true;
  return false;
}

/** Puts every such place below `at` into `found`. `at` is the same again afterwards. */
function search(schema: GenericSchema, value: unknown, at: string[], found: Place[]): void {
  if (typeof value !== "object" || value === null) return;
  const shape = schema as unknown as Shape;
  if (shape.wrapped !== undefined) search(shape.wrapped, value, at, found);
  else if (shape.getter !== undefined) search(shape.getter(value), value, at, found);
  else if (shape.type === "intersect") for (const one of shape.options ?? []) search(one, value, at, found);
  else if (shape.type === "union" || shape.type === "variant") nearest(shape.options ?? [], value, at, found);
  else if (MAPS.has(shape.type)) inMap(shape, value, at, found);
  else if (LISTS.has(shape.type) && Array.isArray(value)) inList(shape, value, at, found);
}

function inMap({ entries, rest, value: each }: Shape, value: object, at: string[], found: Place[]): void {
  if (Array.isArray(value)) {
    add([...at], found);
    return;
  }
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (typeof member !== "object" || member === null) continue;
    const schema = entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : (rest ?? each);
    if (schema === undefined) continue;
    at.push(name);
    search(schema, member, at, found);
    at.pop();
  }
}

function inList({ item, items = [], rest }: Shape, value: readonly unknown[], at: string[], found: Place[]): void {
  for (let i = 0; i < value.length; i++) {
    const member = value[i];
    const schema = item ?? items[i] ?? rest;
    if (typeof member !== "object" || member === null || schema === undefined) continue;
    at.push(String(i));
    search(schema, member, at, found);
    at.pop();
  }
}

/** Of several schemas the value goes by one that it fits; best by one that means no map where it has a list. */
function nearest(options: readonly GenericSchema[], value: unknown, at: string[], found: Place[]): void {
  let first: readonly Place[] | undefined;
  for (const option of options) {
    if (!is(option, value)) continue;
    const places: Place[] = [];
    search(option, value, at, places);
    if (places.length === 0) return;
    first ??= places;
  }
  for (const place of first ?? NONE) add(place, found);
}

/** Once: both halves of an intersection may mean the same map. */
function add(place: Place, found: Place[]): void {
  if (found.length === MAX_PLACES) return;
  const text = JSON.stringify(place);
  if (!found.some((known) => JSON.stringify(known) === text)) found.push(place);
}
