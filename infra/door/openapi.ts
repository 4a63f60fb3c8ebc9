import type { AnyActorType } from "#runtime";
import { type JsonSchema, jsonSchemaOf } from "../http/json-schema.ts";
import { PROBLEM_SCHEMA } from "../http/problem-schema.ts";
import type { Shown } from "./exposure.ts";
import { DEADLINE_HEADER, MAX_DEADLINE_MS } from "./request-options.ts";

/** An OpenAPI 3.1 document. */
export type DoorDocument = Readonly<Record<string, unknown>>;

const PROBLEM = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
const FAILURE = { description: "A problem; its code says which", content: PROBLEM };
/** What every key is: the runtime takes no other. */
const KEY_SCHEMA = { type: "string", minLength: 1, maxLength: 200, pattern: "^[^\\x00-\\x1f\\x7f]+$" };

const HEADERS = [
  {
    name: DEADLINE_HEADER,
    in: "header",
    required: false,
    description: "How many milliseconds the caller waits",
    schema: { type: "integer", minimum: 1, maximum: MAX_DEADLINE_MS },
  },
];

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Makes the command act once: a repeat gets the first answer",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
};

/** The key in the path: what every key is, and what the type makes of it. */
function keyParameter({ options }: AnyActorType): DoorDocument {
  const own = options.key === undefined ? {} : jsonSchemaOf(options.key, "input");
  return { name: "key", in: "path", required: true, schema: { ...KEY_SCHEMA, ...own } };
}

/** The document of what a door shows: one path per message, with the JSON Schemas of its input and reply. */
export function doorDocument(shown: Iterable<Shown>, base: string): DoorDocument {
  const paths: Record<string, unknown> = {};
  for (const { actor, messages, watch, topics } of shown) {
    for (const name of messages) {
      const definition = actor.messages[name];
      if (definition === undefined) continue;
      paths[`${base}/${actor.type}/{key}/${encodeURIComponent(name)}`] = {
        post: callOperation(actor, name, definition),
      };
    }
    if (!watch && topics === undefined) continue;
    const path = `${base}/${actor.type}/{key}/watch`;
    const state = watch ? jsonSchemaOf(actor.options.state, "output") : {};
    paths[path] = { ...(paths[path] as object | undefined), get: watchOperation(actor, state) };
  }
  return {
    openapi: "3.1.1",
    info: { title: "Actors", version: "1", description: "Every error is an `application/problem+json`." },
    paths,
    components: { schemas: { Problem: PROBLEM_SCHEMA } },
  };
}

/** The operation of one message. */
function callOperation(actor: AnyActorType, name: string, definition: AnyActorType["messages"][string]): DoorDocument {
  const { type } = actor;
  const { kind, in: input, out, refuses } = definition;
  const why = refuses === undefined || refuses.length === 0 ? "" : `: ${refuses.map((r) => `\`${r}\``).join(", ")}`;
  return {
    operationId: `${type}_${name}`,
    summary: `${kind === "command" ? "Command" : "Query"} ${name} of ${type}`,
    tags: [type],
    parameters: [keyParameter(actor), ...HEADERS, ...(kind === "command" ? [IDEMPOTENCY_KEY] : [])],
    ...(input !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: jsonSchemaOf(input, "input") } } },
    }),
    responses: {
      ...(out === undefined
        ? { 204: { description: "Done" } }
        : {
            200: { description: "The reply", content: { "application/json": { schema: jsonSchemaOf(out, "output") } } },
          }),
      ...(kind === "command" && { 409: { description: `Refused${why}`, content: PROBLEM } }),
      default: FAILURE,
    },
  };
}

/** The operation that follows an actor. */
function watchOperation(actor: AnyActorType, state: JsonSchema): DoorDocument {
  const { type } = actor;
  return {
    operationId: `${type}_watch_states`,
    summary: `Watch ${type}`,
    description:
      "Server-sent events: `state` {version, exists, state}, `broadcast` {topic, type, data}, `gap` {topics}.",
    tags: [type],
    parameters: [
      keyParameter(actor),
      {
        name: "Last-Event-ID",
        in: "header",
        required: false,
        schema: { type: "string" },
        description: "Where to go on",
      },
    ],
    responses: {
      200: { description: "A stream", content: { "text/event-stream": { schema: { "x-state": state } } } },
      default: FAILURE,
    },
  };
}
