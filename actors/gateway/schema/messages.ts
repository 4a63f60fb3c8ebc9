import * as v from "valibot";

/** A JSON Schema, which has been compiled before it comes here. */
export const JsonSchema = v.union([v.boolean(), v.record(v.string(), v.unknown())]);
export type JsonSchema = v.InferOutput<typeof JsonSchema>;

/** The text of a schema, where JSON.parse would change a number of it. */
const ExactText = v.optional(v.string());

export const PutSchema = v.strictObject({ schema: JsonSchema, text: ExactText, force: v.boolean() });

export const SchemaVersion = v.object({
  version: v.number(),
  at: v.string(),
  /** Whether it was put in spite of breaking what was valid before. */
  forced: v.boolean(),
  schema: JsonSchema,
  text: ExactText,
});
export type SchemaVersion = v.InferOutput<typeof SchemaVersion>;

/** One place where data that was valid no longer would be. `path` is a JSON pointer into the new schema. */
export interface Difference {
  readonly path: string;
  readonly message: string;
}
