import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import { NOT_RE2 } from "./limits.ts";
import { re2Pattern } from "./re2-pattern.ts";

/** The first place where data does not fit. `path` is a JSON pointer into the data. */
export interface Misfit {
  readonly path: string;
  readonly message: string;
}

/** A compiled schema: what does not fit, or `undefined`. */
export type Check = (data: unknown) => Misfit | undefined;

re2.code = "re2";

/**
 * `format` is an annotation, as the draft has it; unknown keywords, and those without effect where they stand, are errors.
 * Only a property that is there counts: every object has a `constructor` of its kind.
 */
const OPTIONS = {
  strict: true,
  ownProperties: true,
  allowMatchingProperties: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  validateFormats: false,
  code: { regExp: re2 },
} as const;
/** Knows what a schema is: compiling that takes longer than compiling most schemas. */
const drafts = new Ajv2020(OPTIONS);

/**
 * Compiles a schema (draft 2020-12).
 * Measure it first (`measureSchema`): a hostile schema makes this run for seconds.
 * @throws {Error} it is not a valid schema; the message says where.
 */
export function compileSchema(schema: object | boolean): Check {
  if (drafts.validateSchema(schema) !== true) throw new Error(drafts.errorsText(drafts.errors, { dataVar: "schema" }));
  // An instance of its own per schema: nothing is shared through ids or caches, and nothing stays behind.
  const ajv = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false });
  const validate = ajv.compile(schema) as ValidateFunction;
  return (data) => {
    if (validate(data)) return undefined;
    const error = validate.errors?.[0];
    return error === undefined ? { path: "", message: "does not fit" } : misfitOf(error);
  };
}

function misfitOf({ instancePath, message, params, keyword }: ErrorObject): Misfit {
  const detail =
    keyword === "additionalProperties" || keyword === "unevaluatedProperties"
      ? ` (${JSON.stringify(params["additionalProperty"] ?? params["unevaluatedProperty"])})`
      : keyword === "enum" || keyword === "const"
        ? ` (${JSON.stringify(params["allowedValues"] ?? params["allowedValue"]).slice(0, 200)})`
        : "";
  return { path: instancePath, message: `${message ?? "does not fit"}${detail}` };
}

/**
 * Patterns in time that grows with the text alone. The engine of the host gives up on some after a while and says that
 * they do not match, which under a `not` lets everything in.
 */
function re2(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = compilePattern(pattern);
  return {
    test: (text) => compiled.matcher(text).find(),
    // What the validator keeps compiled patterns by: without it all of them would be taken for the first one.
    toString: () => `re2:${pattern}`,
  };
}

function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(re2Pattern(pattern));
  } catch {
    throw new Error(`${NOT_RE2}: ${pattern}`);
  }
}
