import * as v from "valibot";

/** A JSON Schema (draft 2020-12), which has been compiled before it comes here. */
export const JsonSchema = v.union([v.boolean(), v.record(v.string(), v.unknown())]);
export type JsonSchema = v.InferOutput<typeof JsonSchema>;

export const PutSchema = v.strictObject({ schema: JsonSchema, force: v.boolean() });

export const SchemaVersion = v.object({
  version: v.number(),
  at: v.string(),
  /** Whether it was put in spite of breaking what was valid before. */
  forced: v.boolean(),
  schema: JsonSchema,
});
export type SchemaVersion = v.InferOutput<typeof SchemaVersion>;

/** One place where data that was valid no longer would be. `path` is a JSON pointer into the new schema. */
export interface Difference {
  readonly path: string;
  readonly message: string;
}
