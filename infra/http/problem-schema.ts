import type { JsonSchema } from "./json-schema.ts";

/** The schema of every error answer. */
export const PROBLEM_SCHEMA: JsonSchema = {
  type: "object",
  description: "RFC 9457. `code` is stable; `traceId` finds the cause in the log.",
  required: ["type", "title", "status", "detail", "code", "traceId"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", examples: ["order.already_shipped", "invalid_input"] },
    traceId: { type: "string", pattern: "^[0-9a-f]{32}$" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: {
          path: { type: "string", description: "A JSON pointer into the body, or `query/…`, `path/…`, `header/…`" },
          message: { type: "string" },
          expected: { type: "string" },
          received: { type: "string" },
          excerpt: { type: "string" },
        },
      },
    },
  },
};
