/** Keywords that join subschemas at one value, and references. */
import { type Build, SchemaError, type Site } from "./build.ts";
import { type Misfit, shown } from "./misfit.ts";
import { type Check, pathOf, type Place, type Run, Seen } from "./run.ts";

function branches(keyword: string, schemas: readonly unknown[], { at, checkAt }: Site): Check[] {
  return schemas.map((_, i) => checkAt(`${at.pointer}/${keyword}/${i}`));
}

const allOf: Build = (schemas: readonly unknown[], site) => {
  const checks = branches("allOf", schemas, site);
  return (value, place, run, seen) => {
    let fits = true;
    for (const check of checks) fits = check(value, place, run, seen) && fits;
    return fits;
  };
};

/** Tries a branch: what it looked at counts if it fits; else its misfits are taken out of the run. */
function attempt(
  check: Check,
  value: unknown,
  place: Place,
  run: Run,
  seen: Seen | undefined,
): readonly Misfit[] | true {
  const before = run.misfits.length;
  const own = seen && new Seen();
  if (check(value, place, run, own)) {
    run.misfits.length = before;
    if (own !== undefined) seen?.add(own);
    return true;
  }
  return run.misfits.splice(before);
}

/** The branch that the value is meant for, if that can be told: all its misfits are inside the value. */
function nearest(failed: readonly (readonly Misfit[])[], place: Place): readonly Misfit[] | undefined {
  const path = pathOf(place);
  return failed.find((misfits) => misfits.length > 0 && misfits.every((misfit) => misfit.path !== path));
}

const anyOf: Build = (schemas: readonly unknown[], site) => {
  const checks = branches("anyOf", schemas, site);
  return (value, place, run, seen) => {
    const failed: (readonly Misfit[])[] = [];
    let fits = false;
    for (const check of checks) {
      const result = attempt(check, value, place, run, seen);
      if (result !== true) failed.push(result);
      else fits = true;
      if (fits && seen === undefined) break;
    }
    return fits || none(failed, value, place, run);
  };
};

function none(failed: readonly (readonly Misfit[])[], value: unknown, place: Place, run: Run): false {
  const near = nearest(failed, place);
  if (near === undefined)
    return run.misfit(place, `must fit one of ${failed.length} schemas`, `one of ${failed.length} schemas`, value);
  run.misfits.push(...near);
  return false;
}

const oneOf: Build = (schemas: readonly unknown[], site) => {
  const checks = branches("oneOf", schemas, site);
  return (value, place, run, seen) => {
    const failed: (readonly Misfit[])[] = [];
    let fitting = 0;
    for (const check of checks) {
      const result = attempt(check, value, place, run, seen);
      if (result !== true) failed.push(result);
      else fitting++;
    }
    if (fitting === 1) return true;
    if (fitting === 0) return none(failed, value, place, run);
    return run.misfit(place, `must fit only one of ${checks.length} schemas`, "only one of them", value);
  };
};

const not: Build = (_: unknown, { at, checkAt }) => {
  const check = checkAt(`${at.pointer}/not`);
  return (value, place, run) =>
    !run.quietly(check, value, place, undefined) ||
    run.misfit(place, "must not fit what stands under not", "something else", value);
};

const condition: Build = (_: unknown, { at, node, checkAt }) => {
  const check = checkAt(`${at.pointer}/if`);
  const then = Object.hasOwn(node, "then") ? checkAt(`${at.pointer}/then`) : undefined;
  const otherwise = Object.hasOwn(node, "else") ? checkAt(`${at.pointer}/else`) : undefined;
  return (value, place, run, seen) => {
    const own = seen && new Seen();
    const holds = run.quietly(check, value, place, own);
    if (holds && own !== undefined) seen?.add(own);
    return (holds ? then : otherwise)?.(value, place, run, seen) ?? true;
  };
};

function targetOf(reference: string, { at, references }: Site) {
  const target = references.find(reference, at);
  if (target !== undefined) return target;
  const expected = "a schema within this one, as in #/$defs/address";
  throw new SchemaError("", "There is no schema in this one that the reference leads to", expected, shown(reference));
}

const ref: Build = (reference: string, site) => site.checkAt(targetOf(reference, site).pointer);

/** Leads to the outermost resource on the way here that has an anchor of that name. */
const dynamicRef: Build = (reference: string, site) => {
  const { pointer, dynamic } = targetOf(reference, site);
  const first = site.checkAt(pointer);
  if (dynamic === undefined) return first;
  return (value, place, run, seen) => {
    for (const { dynamicAnchors } of run.scope) {
      const found = dynamicAnchors.get(dynamic);
      if (found !== undefined) return site.checkAt(found)(value, place, run, seen);
    }
    return first(value, place, run, seen);
  };
};

/** Draft 2019-09: leads to the outermost resource on the way here that says so, if the nearest one does. */
const recursiveRef: Build = (_: string, { at, checkAt }) => {
  const first = checkAt(at.resource.pointer);
  if (!at.resource.recursive) return first;
  return (value, place, run, seen) => {
    const outermost = run.scope.find(({ recursive }) => recursive);
    return (outermost === undefined ? first : checkAt(outermost.pointer))(value, place, run, seen);
  };
};

export const LOGIC_CHECKS: Readonly<Record<string, Build>> = {
  allOf,
  anyOf,
  oneOf,
  not,
  if: condition,
  $ref: ref,
  $dynamicRef: dynamicRef,
  $recursiveRef: recursiveRef,
};
