import { isExactNumber, type JsonNumber } from "#infra/json/exact.ts";
/** Keywords about objects. Only a member that is there counts: every object has a `constructor` of its kind. */
import { stepOf } from "#infra/json/pointer.ts";
import type { Build, Site } from "./build.ts";
import { patternAt } from "./check-values.ts";
import { shorten, shown } from "./misfit.ts";
import type { Check, Place, Run, Seen } from "./run.ts";

type Members = Readonly<Record<string, unknown>>;

/** A check that is for objects alone. */
function ofObjects(check: (value: Members, place: Place, run: Run, seen: Seen | undefined) => boolean): Check {
  return (value, place, run, seen) =>
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    isExactNumber(value) ||
    check(value as Members, place, run, seen);
}

const properties: Build = (schemas: Members, { at, checkAt }) => {
  const checks = Object.keys(schemas).map((name): [string, Check] => [
    name,
    checkAt(`${at.pointer}/properties/${stepOf(name)}`),
  ]);
  return ofObjects((value, place, run, seen) => {
    let fits = true;
    for (const [name, check] of checks) {
      if (!Object.hasOwn(value, name)) continue;
      fits = check(value[name], { around: place, step: name }, run, undefined) && fits;
      seen?.names.add(name);
    }
    return fits;
  });
};

const patternProperties: Build = (schemas: Members, { at, checkAt }) => {
  const checks = Object.keys(schemas).map((source) => ({
    pattern: patternAt(source, `/${stepOf(source)}`),
    check: checkAt(`${at.pointer}/patternProperties/${stepOf(source)}`),
  }));
  return ofObjects((value, place, run, seen) => {
    let fits = true;
    for (const name of Object.keys(value))
      for (const { pattern, check } of checks) {
        run.spend(1);
        if (!pattern.test(name, run)) continue;
        fits = check(value[name], { around: place, step: name }, run, undefined) && fits;
        seen?.names.add(name);
      }
    return fits;
  });
};

const additionalProperties: Build = (schema: unknown, { at, node, checkAt }) => {
  const check = checkAt(`${at.pointer}/additionalProperties`);
  const known = new Set(Object.keys((node["properties"] ?? {}) as Members));
  const sources = Object.keys((node["patternProperties"] ?? {}) as Members);
  // A pattern that cannot be compiled is told of where it stands.
  const patterns = sources.map((source) => patternAt(source, ""));
  return ofObjects((value, place, run, seen) => {
    let fits = true;
    for (const name of Object.keys(value)) {
      run.spend(1);
      if (known.has(name) || patterns.some((pattern) => pattern.test(name, run))) continue;
      fits = further(schema, name, value, check, place, run) && fits;
    }
    if (seen !== undefined) seen.allNames = true;
    return fits;
  });
};

const unevaluatedProperties: Build = (schema: unknown, { at, checkAt }) => {
  const check = checkAt(`${at.pointer}/unevaluatedProperties`);
  return ofObjects((value, place, run, seen) => {
    if (seen?.allNames === true) return true;
    let fits = true;
    for (const name of Object.keys(value)) {
      run.spend(1);
      if (seen?.names.has(name) === true) continue;
      fits = further(schema, name, value, check, place, run) && fits;
    }
    if (seen !== undefined) seen.allNames = true;
    return fits;
  });
};

function further(schema: unknown, name: string, value: Members, check: Check, place: Place, run: Run): boolean {
  const at = { around: place, step: name };
  if (schema !== false) return check(value[name], at, run, undefined);
  return run.misfit(at, "is not a known member", "no such member", value[name]);
}

const propertyNames: Build = (_: unknown, { at, checkAt }) => {
  const check = checkAt(`${at.pointer}/propertyNames`);
  return ofObjects((value, place, run) => {
    let fits = true;
    for (const name of Object.keys(value)) {
      if (run.quietly(check, name, place, undefined)) continue;
      fits = run.misfit({ around: place, step: name }, "is not a name that fits", "a name that fits", name);
    }
    return fits;
  });
};

function needs(names: readonly string[]): Check {
  return ofObjects((value, place, run) => {
    let fits = true;
    for (const name of names) {
      run.spend(1);
      if (Object.hasOwn(value, name)) continue;
      const expected = `the member ${shown(name)}`;
      fits = run.misfit(place, `must have ${expected}`, expected, value);
    }
    return fits;
  });
}

/** What is asked for beside a member, if that is there. */
function besides(keyword: string): Build {
  return (asked: Members, { at, checkAt }: Site) => {
    const checks = Object.entries(asked).map(([name, one]): [string, Check] => [
      name,
      Array.isArray(one) ? needs(one as string[]) : checkAt(`${at.pointer}/${keyword}/${stepOf(name)}`),
    ]);
    return ofObjects((value, place, run, seen) => {
      let fits = true;
      for (const [name, check] of checks) if (Object.hasOwn(value, name)) fits = check(value, place, run, seen) && fits;
      return fits;
    });
  };
}

function size(says: string, fits: (size: number, limit: number) => boolean): Build {
  return (limit: JsonNumber) => {
    const max = Number(JSON.stringify(limit));
    const expected = shorten(`${says} ${max} ${max === 1 ? "member" : "members"}`);
    return ofObjects(
      (value, place, run) =>
        fits(Object.keys(value).length, max) || run.misfit(place, `must have ${expected}`, expected, value),
    );
  };
}

export const OBJECT_CHECKS: Readonly<Record<string, Build>> = {
  properties,
  patternProperties,
  additionalProperties,
  unevaluatedProperties,
  propertyNames,
  required: needs,
  dependentRequired: besides("dependentRequired"),
  dependentSchemas: besides("dependentSchemas"),
  dependencies: besides("dependencies"),
  minProperties: size("at least", (count, limit) => count >= limit),
  maxProperties: size("at most", (count, limit) => count <= limit),
};
