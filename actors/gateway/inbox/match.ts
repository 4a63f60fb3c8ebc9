import { type Destination, type NamedRoute, typeMatches, type Where } from "#actors/gateway/route/messages.ts";
import { compareNumbers, isExactNumber, isNumber, parseExact } from "#infra/json/exact.ts";
import { keyOf } from "#infra/json/pointer.ts";
import type { OutgoingEvent } from "./messages.ts";

/** Where one route sends an event: to a broker, or to an endpoint. */
export type Target = Destination | { readonly endpoint: string };

/** The places an event goes to by the routes that match it: each once, in order of the routes. */
export function targetsOf(event: OutgoingEvent, routes: readonly NamedRoute[]): readonly Target[] {
  let first: readonly Target[] = NOWHERE;
  let others: Map<string, Target> | undefined;
  for (const route of routes) {
    if (!route.enabled || !matches(event, route.match)) continue;
    if (first === NOWHERE && route.to.length === 1) {
      first = route.to; // most events have one place to go to
      continue;
    }
    others ??= new Map(first.map((target) => [nameOf(target), target]));
    if (first === NOWHERE) first = route.to;
    for (const target of route.to) others.set(nameOf(target), target);
  }
  return others === undefined ? first : [...others.values()];
}

const NOWHERE: readonly Target[] = [];

/** Targets as texts. Routes stay the same over many events. */
const names = new WeakMap<Target, string>();

function nameOf(target: Target): string {
  let name = names.get(target);
  if (name === undefined) names.set(target, (name = JSON.stringify(target)));
  return name;
}

/** Whether a route is meant for an event. */
export function matches(event: OutgoingEvent, { type, source, where }: NamedRoute["match"]): boolean {
  if (!typeMatches(event.type, type)) return false;
  if (source !== undefined && event.source !== source && event.source !== `/sources/${source}`) return false;
  return (
    where === undefined || Object.entries(where).every(([pointer, value]) => isSame(valueAt(event, pointer), value))
  );
}

/** Numbers are the same when they are worth the same: `1` and `1.0` are, `9007199254740993` and `9007199254740992` are not. */
function isSame(found: unknown, wanted: Where): boolean {
  const value = typeof wanted === "object" && wanted !== null ? parseExact(wanted.number) : wanted;
  return isNumber(value) ? isNumber(found) && compareNumbers(found, value) === 0 : found === value;
}

/** The value at a JSON pointer; `undefined` where there is none. */
export function valueAt(root: unknown, pointer: string): unknown {
  let at = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = keyOf(part);
    if (typeof at !== "object" || at === null || isExactNumber(at) || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at;
}
