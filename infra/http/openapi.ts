import type { GenericSchema } from "valibot";
import { jsonSchemaOf } from "./json-schema.ts";
import { KEY_SECURITY, parametersOf, PROBLEM } from "./operation.ts";
import { PROBLEM_SCHEMA } from "./problem-schema.ts";

/** A mounted route, as Elysia lists it. */
export interface MountedRoute {
  readonly method: string;
  readonly path: string;
  readonly hooks?: Readonly<Record<string, unknown>>;
}

/** Methods OpenAPI has a place for. */
const METHODS = new Set(["GET", "PUT", "POST", "DELETE", "PATCH"]);

/**
 * The OpenAPI 3.1 document of the routes that are mounted, read from their `detail`. A route mounted without an own
 * description of body, parameters or answers gets those of its valibot schemas.
 * @param options.keysOff nobody needs a key: no operation asks for one, and none is answered 401 or 403 for the lack of it.
 */
export function openApiDocument(
  routes: readonly MountedRoute[],
  { keysOff = false }: { readonly keysOff?: boolean } = {},
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, hooks = {} } of routes) {
    const detail = (hooks["detail"] ?? {}) as Record<string, unknown>;
    if (!METHODS.has(method) || detail["hide"] === true) continue;
    const operations = (paths[path.replaceAll(/:([A-Za-z0-9_]+)\??/g, "{$1}")] ??= {});
    const operation = { ...fromHooks(path, hooks), ...detail };
    operations[method.toLowerCase()] = keysOff ? withoutKeys(operation) : operation;
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Troupe",
      version: "1",
      description:
        "Orders from placing to delivery, workflows, and containers kept at their desired state. Every error is an `application/problem+json`. Live updates come over the WebSocket `/ws`, calls of actors over `/rpc/socket`.",
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      ...(!keysOff && {
        securitySchemes: { [KEY_SECURITY]: { type: "http", scheme: "bearer", description: "An API key" } },
      }),
    },
  };
}

/** An operation where nobody needs a key. */
function withoutKeys(operation: Record<string, unknown>): Record<string, unknown> {
  const open = (operation["security"] as readonly unknown[] | undefined)?.length === 0;
  const { 401: unauthenticated, 403: _, ...responses } = (operation["responses"] ?? {}) as Record<string, unknown>;
  // What is open with keys as well may answer 401 for reasons of its own: a webhook that is not signed.
  return {
    ...operation,
    security: [],
    responses: open && unauthenticated !== undefined ? { 401: unauthenticated, ...responses } : responses,
  };
}

function fromHooks(path: string, hooks: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const body = schemaIn(hooks["body"]);
  const params = schemaIn(hooks["params"]);
  const parameters = [
    ...(params === undefined ? namesIn(path) : parametersOf("path", params)),
    ...parametersOf("query", schemaIn(hooks["query"])),
  ];
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: jsonSchemaOf(body, "input") } } } }),
    responses: { ...answersIn(hooks["response"]), default: { description: "Any failure", content: PROBLEM } },
  };
}

function answersIn(response: unknown): Record<string, unknown> {
  const single = schemaIn(response);
  const byStatus = single === undefined ? ((response ?? {}) as Record<string, unknown>) : { 200: single };
  const answers: Record<string, unknown> = {};
  for (const [status, value] of Object.entries(byStatus)) {
    const schema = schemaIn(value);
    answers[status] = {
      description: status,
      ...(schema === undefined ? {} : { content: { "application/json": { schema: jsonSchemaOf(schema, "output") } } }),
    };
  }
  return Object.keys(answers).length === 0 ? { 200: { description: "Done" } } : answers;
}

function namesIn(path: string): unknown[] {
  return [...path.matchAll(/:([A-Za-z0-9_]+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function schemaIn(value: unknown): GenericSchema | undefined {
  const isSchema = typeof value === "object" && value !== null && "~standard" in value && "kind" in value;
  return isSchema ? (value as unknown as GenericSchema) : undefined;
}
