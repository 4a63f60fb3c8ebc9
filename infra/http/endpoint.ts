import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import type { CallOptions } from "#runtime";
import { readJson } from "./body.ts";
import type { EndpointSpec, MaybeSchema, Schema } from "./endpoint-spec.ts";
import { taggedResponse } from "./entity-tag.ts";
import { idempotencyKey, messageIdOf } from "./idempotency.ts";
import { parseExactJson, parseJson } from "./json-text.ts";
import { jsonResponse } from "./mark.ts";
import { operationOf } from "./operation.ts";
import { principalOf } from "./principal.ts";
import { Problem } from "./problem.ts";
import { targetOf } from "./target.ts";
import { toProblem } from "./to-problem.ts";
import { traceOf } from "./trace.ts";
import { check } from "./validate.ts";

type Out<S extends MaybeSchema> = S extends Schema ? v.InferOutput<S> : undefined;
type In<S extends MaybeSchema> = S extends Schema ? v.InferInput<S> : undefined;

/** A request, checked. */
export interface Ask<P extends MaybeSchema, Q extends MaybeSchema, B extends MaybeSchema> {
  readonly request: Request;
  readonly params: Out<P>;
  readonly query: Out<Q>;
  readonly body: Out<B>;
  /** The `Idempotency-Key`, told apart by API key; always `undefined` for reads. */
  readonly key: string | undefined;
  /** For the actor call this request makes: its once-only id, and the trace. */
  readonly call: CallOptions;
  /** For calls beside it that only look: the trace alone. */
  readonly look: CallOptions & { readonly traceparent: string };
}

/** An answer with a status other than the endpoint's own, or with headers. */
export class Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: T, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

const NO_HEADERS = {};

/** A spec with the function that answers. Made by {@link endpoint}, mounted by {@link endpoints}. */
export interface Endpoint {
  readonly spec: EndpointSpec;
  run(request: Request, params: Readonly<Record<string, unknown>>): Promise<Response>;
}

/**
 * Makes an endpoint: everything about a request is checked before `handle` sees it, and whatever is thrown leaves as a
 * {@link Problem}. `handle` returns the body of the answer, or a {@link Reply}.
 */
export function endpoint<
  P extends MaybeSchema = undefined,
  Q extends MaybeSchema = undefined,
  B extends MaybeSchema = undefined,
  R extends MaybeSchema = undefined,
>(
  spec: EndpointSpec<P, Q, B, R>,
  handle: (ask: Ask<P, Q, B>) => In<R> | Reply<In<R>> | Promise<In<R> | Reply<In<R>>>,
): Endpoint {
  return {
    spec,
    async run(request, params) {
      try {
        const ask = read(spec, request, params);
        if (spec.body !== undefined) ask.body = await readBody(spec.body, request, spec.exact === true);
        // Each part was checked against the very schema its type is inferred from.
        const result = await handle(ask as unknown as Ask<P, Q, B>);
        if (spec.tagged === true && !(result instanceof Reply))
          return taggedResponse(request, spec.answer.status, result);
        return result instanceof Reply
          ? jsonResponse(request, result.status, result.body, result.headers)
          : jsonResponse(request, spec.answer.status, result, NO_HEADERS);
      } catch (error) {
        throw toProblem(error, spec);
      }
    },
  };
}

/** Mounts endpoints as one Elysia plugin. Bodies are read by us: Elysia's parser neither counts nor answers as the contract asks. */
export function endpoints(name: string, list: readonly Endpoint[]) {
  const app = new Elysia({ name });
  for (const { spec, run } of list) {
    app.route(spec.method, spec.path, ({ request, params }) => run(request, params), {
      parse: "none",
      detail: operationOf(spec) as object as DocumentDecoration,
    });
  }
  return app;
}

type Read = { -readonly [K in keyof Ask<MaybeSchema, MaybeSchema, MaybeSchema>]: unknown };

/** All that can be told of a request without its body. */
function read(spec: EndpointSpec, request: Request, params: Readonly<Record<string, unknown>>): Read {
  const key = spec.method === "GET" ? undefined : ownKey(request);
  const id = messageIdOf(key);
  const look = { traceparent: traceOf(request).traceparent };
  return {
    request,
    key,
    look,
    call: id === undefined ? look : { ...look, id },
    params: spec.params === undefined ? undefined : readPath(spec, spec.params, params),
    query: spec.anyQuery === true ? undefined : readQuery(spec.query ?? NO_QUERY, request),
    body: undefined,
  };
}

/** The Idempotency-Key as whoever sent it owns it: the same one of another API key is another one. */
function ownKey(request: Request): string | undefined {
  const key = idempotencyKey(request);
  const owner = principalOf(request);
  return key === undefined || owner === undefined ? key : `${owner.keyId}/${key}`;
}

function readPath(spec: EndpointSpec, schema: Schema, params: Readonly<Record<string, unknown>>): unknown {
  if (spec.unfitPath === 422) return check(schema, params, "path");
  try {
    return check(schema, params, "path");
  } catch {
    throw notFound(spec.noun);
  }
}

/** The query of an endpoint that names none: any name in it is refused, since it asks for something that would not be done. */
const NO_QUERY = v.strictObject({});

const EMPTY = {};

function readQuery(schema: Schema, request: Request): unknown {
  // Most writes know no query, and have none.
  return schema === NO_QUERY && targetOf(request).query === "" ? EMPTY : check(schema, queryOf(request), "query");
}

/** What a route answers for a thing that is not there. */
export function notFound(noun: string): Problem {
  return new Problem(404, `${noun}.not_found`, `There is no such ${noun}`);
}

/** The query as a record; a name given twice becomes an array, which no schema of a single value takes. */
function queryOf(request: Request): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  const { query: sent } = targetOf(request);
  if (sent === "") return { ...query };
  for (const [name, value] of new URLSearchParams(sent)) {
    const before = query[name];
    query[name] = before === undefined ? value : [before, value].flat();
  }
  return { ...query };
}

async function readBody(schema: Schema, request: Request, exact: boolean): Promise<unknown> {
  const body = await readJson(request, exact ? parseExactJson : parseJson);
  if (body === undefined) {
    try {
      return check(schema, undefined);
    } catch {
      throw new Problem(400, "body.missing", "The request needs a JSON body");
    }
  }
  return check(schema, body);
}
