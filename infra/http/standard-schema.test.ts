import { expect, test } from "bun:test";
import { z } from "zod";
import { standard } from "#runtime";
import { jsonSchemaOf } from "./json-schema.ts";

test("a schema of another library is described by its own JSON Schema, each way", () => {
  const schema = standard(z.object({ by: z.number().min(1), note: z.string().default("") }));
  expect(jsonSchemaOf(schema, "input")).toMatchObject({
    type: "object",
    properties: { by: { type: "number", minimum: 1 } },
    required: ["by"],
  });
  expect(jsonSchemaOf(schema, "output")).toMatchObject({ type: "object", required: ["by", "note"] });
});
