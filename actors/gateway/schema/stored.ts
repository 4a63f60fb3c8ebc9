import { holdsExactNumbers, parseExact } from "#infra/json/exact.ts";
import type { JsonSchema, SchemaVersion } from "./messages.ts";

/** The schema of a version, with its numbers as they came. */
export function schemaOf({ schema, text }: Pick<SchemaVersion, "schema" | "text">): JsonSchema {
  return text === undefined ? schema : (parseExact(text) as JsonSchema);
}

/** What a schema is put with, so that its numbers stay what they are. */
export function storedSchema(schema: JsonSchema): Pick<SchemaVersion, "schema" | "text"> {
  if (!holdsExactNumbers(schema)) return { schema };
  const text = JSON.stringify(schema);
  return { schema: JSON.parse(text) as JsonSchema, text };
}
