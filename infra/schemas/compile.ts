/**
 * Makes a function of a schema that was read. Drafts 7, 2019-09 and 2020-12; `format` is a check.
 *
 * C1 Numbers are compared as their texts say.
 * C2 Every misfit of a value is found, up to a limit. The work of a check is counted and bounded.
 */
import { type Build, SchemaError, type Site } from "./build.ts";
import { ARRAY_CHECKS } from "./check-arrays.ts";
import { LOGIC_CHECKS } from "./check-logic.ts";
import { OBJECT_CHECKS } from "./check-objects.ts";
import { VALUE_CHECKS } from "./check-values.ts";
import { MAX_FAULTS, type SchemaDocument, type Subschema } from "./document.ts";
import type { Misfit, SchemaFault } from "./misfit.ts";
import { loopIn, References } from "./references.ts";
import { type Check, Run, Seen } from "./run.ts";

const BUILDS: Readonly<Record<string, Build>> = { ...VALUE_CHECKS, ...ARRAY_CHECKS, ...OBJECT_CHECKS, ...LOGIC_CHECKS };
/** They see what all others have looked at. */
const LAST = ["unevaluatedItems", "unevaluatedProperties"] as const;

/** A schema as a function: every place where a value does not fit; none: it fits. @throws {TooMuchWorkError} */
export type CompiledCheck = (data: unknown, steps: number) => readonly Misfit[];

/** @returns the check, or every place that cannot be compiled. */
export function compileSchema(document: SchemaDocument): CompiledCheck | readonly SchemaFault[] {
  const references = new References(document);
  const checks = new Map<string, Check>();
  const faults: SchemaFault[] = [];
  const checkAt = (pointer: string): Check => {
    let check = checks.get(pointer);
    // References may lead in circles: it is looked for when it is needed.
    return (value, place, run, seen) => (check ??= checks.get(pointer) as Check)(value, place, run, seen);
  };
  for (const at of document.subschemas.values()) {
    checks.set(at.pointer, checkOf(at, { checkAt, references }, faults));
    if (faults.length >= MAX_FAULTS) return faults.slice(0, MAX_FAULTS);
  }
  if (faults.length > 0) return faults;
  const loop = loopIn(document, references);
  if (loop !== undefined) return [loop];
  const whole = checkAt("");
  return (data, steps) => {
    const run = new Run(steps);
    if (!whole(data, undefined, run, undefined) && run.misfits.length === 0)
      run.misfit(undefined, "does not fit", "what the schema says", data);
    return run.misfits;
  };
}

function checkOf(at: Subschema, parts: Pick<Site, "checkAt" | "references">, faults: SchemaFault[]): Check {
  const { value: node, resource } = at;
  if (node === true) return () => true;
  if (node === false) return (value, place, run) => run.misfit(place, "is not allowed here", "nothing", value);
  const site: Site = { at, node, ...parts };
  const alone = resource.draft === "draft-07" && Object.hasOwn(node, "$ref");
  const build = (name: string): Check[] => {
    const builder = Object.hasOwn(BUILDS, name) ? BUILDS[name] : undefined;
    if (builder === undefined || (alone && name !== "$ref")) return [];
    try {
      const check = builder(node[name] as never, site);
      return check === undefined ? [] : [check];
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      const { step, message, expected, received } = error;
      faults.push({ path: `${at.pointer}/${name}${step}`, message, expected, received });
      return [];
    }
  };
  const last = LAST.filter((name) => Object.hasOwn(node, name));
  const checks = Object.keys(node).flatMap((name) => ((last as readonly string[]).includes(name) ? [] : build(name)));
  const lastChecks = last.flatMap(build);
  return (value, place, run, seen) => {
    run.enter(resource);
    const own = lastChecks.length > 0 ? new Seen() : seen;
    let fits = true;
    for (const check of checks) fits = check(value, place, run, own) && fits;
    // What has failed looked at nothing: to name all of it as unevaluated would only hide the misfit.
    for (const check of fits ? lastChecks : []) fits = check(value, place, run, own) && fits;
    if (own !== seen && own !== undefined && fits) seen?.add(own);
    run.leave();
    return fits;
  };
}
