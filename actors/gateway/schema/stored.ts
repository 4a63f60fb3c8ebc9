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
  // A state holds what JSON can hold: a number that is out of range stands in the text alone.
  const readable = JSON.parse(text, (_, value: unknown) =>
    value === Infinity ? Number.MAX_VALUE : value === -Infinity ? -Number.MAX_VALUE : value,
  );
  return { schema: readable as JsonSchema, text };
}
