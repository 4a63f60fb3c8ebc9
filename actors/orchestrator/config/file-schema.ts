import { jsonSchemaOf } from "#infra/http/json-schema.ts";
import { SERVICE_NAME } from "../service/messages.ts";
import { Rule } from "./gateway.ts";
import { RawService } from "./raw.ts";

let made: Record<string, unknown> | undefined;

/** The JSON Schema of a configuration file, for editors. It knows the shape; what depends on other parts the server says. */
export function fileSchema(): Record<string, unknown> {
  return (made ??= {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Services",
    type: "object",
    required: ["services"],
    additionalProperties: false,
    properties: {
      services: {
        type: "object",
        propertyNames: { pattern: SERVICE_NAME.source },
        additionalProperties: closed(serviceSchema()),
      },
      gateway: { type: "array", maxItems: 100, items: closed(jsonSchemaOf(Rule, "input")) },
    },
  });
}

function serviceSchema(): Record<string, unknown> {
  const schema = jsonSchemaOf(RawService, "input");
  const properties = { ...(schema["properties"] as Record<string, unknown>) };
  properties["env"] = {
    anyOf: [
      properties["env"],
      { type: "array", items: { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_.-]*=" }, description: "NAME=value" },
    ],
  };
  return { ...schema, properties };
}

/** Every map with named keys takes no others. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  const inner = Object.fromEntries(Object.entries(record).map(([key, one]) => [key, closed(one)]));
  return record["type"] === "object" && record["properties"] !== undefined
    ? { ...inner, additionalProperties: false }
    : inner;
}
