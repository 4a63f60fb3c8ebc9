import { type AnyActorType, type AnyWorkDefinition, type AnyWorkerType, NO_KEY } from "#runtime";
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

/** What is described of a door. */
export interface Described {
  readonly shown: ReadonlyMap<string, Shown>;
  readonly workers: ReadonlyMap<string, AnyWorkerType>;
  readonly base: string;
}

/**
 * The document of what a door shows: one path per message, with the JSON Schemas of its input and reply, and those of batches and
 * of the socket.
 * @param maxBatch calls of one batch, at most; 0: none can be sent.
 */
export function doorDocument({ shown, workers, base }: Described, maxBatch: number): DoorDocument {
  const paths: Record<string, unknown> = {};
  for (const { type, messages } of workers.values()) {
    for (const [name, definition] of Object.entries(messages)) {
      paths[`${base}/${type}/${NO_KEY}/${encodeURIComponent(name)}`] = {
        post: callOperation(type, [], name, definition),
      };
    }
  }
  for (const { actor, messages, watch, topics } of shown.values()) {
    for (const name of messages) {
      const definition = actor.messages[name];
      if (definition === undefined) continue;
      paths[`${base}/${actor.type}/{key}/${encodeURIComponent(name)}`] = {
        post: callOperation(actor.type, [keyParameter(actor)], name, definition),
      };
    }
    if (!watch && topics === undefined) continue;
    const path = `${base}/${actor.type}/{key}/watch`;
    const state = watch ? jsonSchemaOf(actor.options.state, "output") : {};
    paths[path] = { ...(paths[path] as object | undefined), get: watchOperation(actor, state) };
  }
  if (maxBatch > 0) paths[`${base}/batch`] = { post: batchOperation(maxBatch) };
  paths[`${base}/socket`] = { get: SOCKET_OPERATION };
  return {
    openapi: "3.1.1",
    info: { title: "Actors", version: "1", description: "Every error is an `application/problem+json`." },
    paths,
    components: { schemas: { Problem: PROBLEM_SCHEMA } },
  };
}

const KINDS = { command: "Command", query: "Query", work: "Work" } as const;

/** The operation of one message. */
function callOperation(
  type: string,
  path: readonly DoorDocument[],
  name: string,
  definition: AnyActorType["messages"][string] | AnyWorkDefinition,
): DoorDocument {
  const { kind, in: input, out, refuses } = definition;
  const why = refuses === undefined || refuses.length === 0 ? "" : `: ${refuses.map((r) => `\`${r}\``).join(", ")}`;
  return {
    operationId: `${type}_${name}`,
    summary: `${KINDS[kind]} ${name} of ${type}`,
    tags: [type],
    parameters: [...path, ...HEADERS, ...(kind === "command" ? [IDEMPOTENCY_KEY] : [])],
    ...(input !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: jsonSchemaOf(input, "input") } } },
    }),
    responses: {
      ...(out === undefined
        ? { 204: { description: "Done" } }
        : {
            200: { description: "The reply", content: { "application/json": { schema: jsonSchemaOf(out, "output") } } },
          }),
      ...(kind !== "query" && { 409: { description: `Refused${why}`, content: PROBLEM } }),
      default: FAILURE,
    },
  };
}

const ID_SCHEMA = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** The operation of several calls in one request. */
function batchOperation(maxBatch: number): DoorDocument {
  const name = { type: "string", minLength: 1 };
  const call = {
    type: "object",
    required: ["id", "call"],
    properties: {
      id: ID_SCHEMA,
      call: { type: "array", prefixItems: [name, name, name], items: name, minItems: 3, maxItems: 3 },
      input: {},
      key: { type: "string", description: "Its Idempotency-Key" },
      deadlineMs: { type: "number" },
    },
  };
  const line = {
    type: "object",
    required: ["id", "status"],
    properties: {
      id: ID_SCHEMA,
      status: { type: "integer" },
      body: { description: "The reply" },
      problem: { $ref: "#/components/schemas/Problem" },
      retryAfter: { type: "integer" },
    },
  };
  return {
    operationId: "actors_batch",
    summary: "Several calls",
    description:
      "Each is answered by a line of JSON as soon as it has ended, as it would be alone. Ids are those of one batch.",
    tags: ["batch"],
    requestBody: {
      required: true,
      content: { "application/json": { schema: { type: "array", minItems: 1, maxItems: maxBatch, items: call } } },
    },
    responses: {
      200: { description: "A line for each call", content: { "application/x-ndjson": { schema: line } } },
      default: FAILURE,
    },
  };
}

/** The operation that becomes a socket. */
const SOCKET_OPERATION: DoorDocument = {
  operationId: "actors_socket",
  summary: "A WebSocket for calls and streams",
  description: 'Frames are JSON texts, `{"id", "call": [type, key, message], …}`: see the page on doors.',
  tags: ["socket"],
  responses: { 101: { description: "It is a socket now" }, 426: FAILURE, default: FAILURE },
};

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
