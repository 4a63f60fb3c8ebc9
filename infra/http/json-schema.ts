import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { EXACT_NUMBER } from "#infra/json/exact-schema.ts";

/** A JSON Schema document (draft 2020-12), as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of a valibot schema. Rules without a counterpart (checks across fields) are left out.
 * @param mode `input`: what may be sent, defaults optional. `output`: what comes back.
 */
export function jsonSchemaOf(schema: GenericSchema, mode: "input" | "output"): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    errorMode: "ignore",
    target: "draft-2020-12",
    typeMode: mode,
    overrideSchema: ({ valibotSchema }) => (valibotSchema === EXACT_NUMBER ? { type: "number" } : undefined),
  });
  return rest as JsonSchema;
}
