import type { GenericSchema } from "valibot";
import { type Access, ACCESS } from "./access.ts";
import type { EndpointSpec } from "./endpoint-spec.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { PROBLEM_MEDIA_TYPE } from "./problem.ts";

/** The name of our keys among the security schemes. */
export const KEY_SECURITY = "key";

/**
 * The statuses any endpoint may answer with a problem: 400 and 421 for a `Host`, 400 for an `Idempotency-Key`, 422 for an address that
 * holds a NUL.
 */
const ALWAYS = [400, 421, 422, 429, 500, 503];

/** An OpenAPI 3.1 operation, as far as this application uses it. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  /** As {@link EndpointSpec.scope}: the guard reads it from here. */
  readonly [ACCESS]: Access;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** A path, query or header parameter. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: JsonSchema;
  readonly description?: string;
}

const IDEMPOTENCY_KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "Makes the write take effect once: a repeat gets the first answer, another request under the same key is refused.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
};

const IF_NONE_MATCH: Parameter = {
  name: "If-None-Match",
  in: "header",
  required: false,
  description: "The `ETag` of an earlier answer: 304 without a body where nothing has changed since.",
  schema: { type: "string" },
};

/** What OpenAPI says about an endpoint. */
export function operationOf(spec: EndpointSpec): Operation {
  const parameters = [
    ...parametersOf("path", spec.params),
    ...parametersOf("query", spec.query),
    ...(spec.method === "GET" ? [] : [IDEMPOTENCY_KEY]),
    ...(spec.tagged === true ? [IF_NONE_MATCH] : []),
  ];
  return {
    operationId: operationId(spec.method, spec.path),
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    tags: [spec.tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(spec.body === undefined
      ? {}
      : { requestBody: { required: spec.body.type !== "optional", content: json(jsonSchemaOf(spec.body, "input")) } }),
    responses: responsesOf(spec),
    security: spec.scope === "open" ? [] : [{ [KEY_SECURITY]: spec.scope === "key" ? [] : [spec.scope] }],
    [ACCESS]: spec.scope,
  };
}

/** Parameters from the members of an object schema. */
export function parametersOf(place: "path" | "query", schema: GenericSchema | undefined): Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(schema, "input") as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, member]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: member,
  }));
}

function responsesOf(spec: EndpointSpec): Operation["responses"] {
  const responses: Record<string, { description: string; content?: Content }> = {};
  for (const status of [...problemsOf(spec), ...ALWAYS]) {
    responses[status] = { description: PROBLEMS[status] ?? "Problem", content: PROBLEM };
  }
  for (const { status, description, schema } of [spec.answer, ...(spec.otherAnswers ?? [])]) {
    responses[status] = {
      description,
      ...(schema === undefined ? {} : { content: json(jsonSchemaOf(schema, "output")) }),
    };
  }
  if (spec.tagged === true) responses[304] = { description: "Nothing has changed since the answer with that tag" };
  return responses;
}

function problemsOf(spec: EndpointSpec): number[] {
  return [
    ...(spec.scope === "open" ? [] : [401, 403]),
    ...(spec.params === undefined ? [] : [spec.unfitPath ?? 404]),
    ...(spec.body === undefined ? [] : [413, 415]),
    ...(spec.problems ?? []),
  ];
}

function operationId(method: string, path: string): string {
  const words = path.split("/").filter((part) => part !== "");
  const names = words.map((part) =>
    part.startsWith(":") ? `By${capital(part.slice(1))}` : part === "*" ? "Rest" : capital(part),
  );
  return method.toLowerCase() + names.join("");
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replaceAll(/[^A-Za-z0-9]/g, "");
const json = (schema: JsonSchema): Content => ({ "application/json": { schema } });

/** The answer of every failure. */
export const PROBLEM: Content = { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } };

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "Unreadable",
  401: "No key, or not a good one, where authentication is on",
  403: "The key is not good for this",
  404: "Not there",
  409: "In conflict with the current state",
  413: "Too large",
  415: "Not JSON",
  421: "Not a host that is answered here",
  422: "Wrong content, a NUL in the address, or an Idempotency-Key that was used for another request",
  429: "Too many requests; see Retry-After",
  500: "Our fault",
  503: "Not available right now; see Retry-After",
};
