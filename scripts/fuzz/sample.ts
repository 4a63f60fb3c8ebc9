import type { Random } from "../chaos/random.ts";
import { HOSTILE_TEXTS, HOSTILE_VALUES } from "./hostile.ts";

/** As much of JSON Schema as the document of the ingress uses. */
export interface SampleSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SampleSchema[];
  readonly oneOf?: readonly SampleSchema[];
  readonly properties?: Readonly<Record<string, SampleSchema>>;
  readonly required?: readonly string[];
  readonly items?: SampleSchema;
  readonly minimum?: number;
}

/** A value that nearly fits a schema: most members as they should be, so that what is wrong is found deep inside. */
export function sample(schema: SampleSchema | undefined, random: Random, depth = 0): unknown {
  if (schema === undefined || depth > 8 || random.next() < 0.08) return random.pick(HOSTILE_VALUES);
  const { type, enum: values, anyOf, oneOf, properties, items } = schema;
  if ("const" in schema) return schema.const;
  if (values !== undefined && values.length > 0) return random.pick(values);
  const either = anyOf ?? oneOf;
  if (either !== undefined && either.length > 0) return sample(random.pick(either), random, depth + 1);
  switch (typeof type === "string" ? type : type?.[0]) {
    case "object": {
      if (random.next() < 0.03) return random.pick([[], ["A=b"], [["a", 1]], [{}]]);
      const made: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(properties ?? {}))
        if (schema.required?.includes(name) || random.next() < 0.5) made[name] = sample(member, random, depth + 1);
      if (properties === undefined || random.next() < 0.1) made[random.pick(NAMES)] = random.pick(HOSTILE_VALUES);
      return made;
    }
    case "array":
      return Array.from({ length: random.whole(0, 3) }, () => sample(items, random, depth + 1));
    case "integer":
    case "number":
      return random.next() < 0.7 ? Math.max(schema.minimum ?? 1, random.whole(1, 9)) : random.pick(HOSTILE_VALUES);
    case "boolean":
      return random.next() < 0.5;
    case "null":
      return null;
    default:
      return random.next() < 0.6 ? random.pick(TEXTS) : random.pick(HOSTILE_TEXTS);
  }
}

/** Members nobody declared. */
const NAMES = ["isAdmin", "/data/action", "a/b~1", "m".repeat(300), "", "ключ"];
/** Texts that fit somewhere. */
const TEXTS = [
  "a",
  "TEA-1",
  "customer-1",
  "EUR",
  "order.placed.v1",
  "github.*",
  "orders/create",
  "Push Hook",
  "a",
  "/data/a",
  "1h",
  "5s",
  "2030-01-31T12:00:00Z",
  "https://example.com/hook",
  "a-secret-of-eight-and-more",
  "ep_00000000-0000-7000-8000-000000000000",
];
