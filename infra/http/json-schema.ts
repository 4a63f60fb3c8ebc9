import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { EXACT_NUMBER } from "../json/exact-schema.ts";

/** A JSON Schema document (draft 2020-12), as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of a valibot schema. Rules without a counterpart (checks across fields) are left out.
 * @param mode `input`: what may be sent, defaults optional. `output`: what comes back.
 */
export function jsonSchemaOf(schema: v.GenericSchema, mode: "input" | "output"): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    errorMode: "ignore",
    target: "draft-2020-12",
    typeMode: mode,
    overrideSchema: ({ valibotSchema }) => (valibotSchema === EXACT_NUMBER ? { type: "number" } : undefined),
  });
  return described(rest, mode) as JsonSchema;
}

/**
 * Says what may be sent where rules are checked by functions, which have no counterpart in JSON Schema. An action of a pipe, before
 * anything that makes another value of it.
 * @param inputSchema takes nothing that the rules refuse; it may leave out what they also take.
 */
export function describedBy<T>(inputSchema: JsonSchema): v.MetadataAction<T, { readonly inputSchema: JsonSchema }> {
  return v.metadata({ inputSchema });
}

/** Puts what {@link describedBy} says in its place; of what comes back the schema itself is the better description. */
function described(schema: unknown, mode: "input" | "output"): unknown {
  if (Array.isArray(schema)) return schema.map((one) => described(one, mode));
  if (typeof schema !== "object" || schema === null) return schema;
  const { inputSchema, outputSchema, ...rest } = schema as Record<string, unknown>;
  if (outputSchema !== undefined && mode === "output") return outputSchema;
  if (inputSchema !== undefined && mode === "input") {
    const { description, default: byDefault } = rest;
    const said = inputSchema as JsonSchema;
    return {
      ...said,
      ...(description === undefined ? {} : { description }),
      ...(byDefault === undefined || "default" in said ? {} : { default: byDefault }),
    };
  }
  return Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, described(member, mode)]));
}
