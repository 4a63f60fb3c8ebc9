import * as v from "valibot";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { jsonSchemaOf } from "#infra/http/json-schema.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { Problem } from "#infra/http/problem.ts";
import type { AnyActorType, Troupe } from "#runtime";
import type { IngressDeps } from "../deps.ts";
import { withoutSecrets } from "../without-secrets.ts";

const Item = v.object({ key: v.string(), version: v.number(), state: v.unknown() });
const Instances = pageOf(Item);
const Type = v.object({
  type: v.string(),
  index: v.pipe(v.array(v.string()), v.description("The fields that `where` may ask for")),
  journal: v.pipe(v.boolean(), v.description("Whether its events are kept: GET /actors/:type/:key/journal")),
  messages: v.array(
    v.object({
      name: v.string(),
      kind: v.picklist(["command", "query"]),
      input: v.pipe(v.nullable(v.record(v.string(), v.unknown())), v.description("JSON Schema; `null`: it takes none")),
      refuses: v.array(v.string()),
    }),
  ),
});
const Entry = v.object({ seq: v.number(), id: v.string(), type: v.string(), at: v.string(), data: v.unknown() });

const Where = v.pipe(
  v.string(),
  v.maxLength(2_000),
  v.description('JSON, as in `{"onHand": {"lt": 10}}`; all of it must hold'),
);
const Number16 = v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/), v.transform(Number));

const about = { tag: "Actors", noun: "actor", scope: "admin", method: "GET" } as const;

/** The actors of a type, what can be said to them, and what happened to one. */
export function actorTypeRoutes({ troupe }: Pick<IngressDeps, "troupe">, types: readonly AnyActorType[]) {
  const typeOf = (name: string): AnyActorType => {
    const type = types.find((one) => one.type === name);
    if (type === undefined) throw notFound("actor");
    return type;
  };
  return endpoints("actor-types", [
    endpoint(
      {
        ...about,
        path: "/actors/:type",
        summary: "List the actors of a type",
        description:
          "In order of their key, as they were committed. `where` asks for the fields that the type indexes.",
        params: v.object({ type: v.string() }),
        query: v.strictObject({ ...PageQuery, where: v.optional(Where) }),
        answer: { status: 200, description: "A page", schema: Instances },
        problems: [404],
      },
      async ({ params: { type: name }, query: { where, limit, cursor } }) => {
        const type = typeOf(name);
        const page = { limit, ...(cursor === undefined ? {} : { after: cursor }) };
        const rows = await listed(troupe(), type, where, page);
        const items = rows.map(({ key, version, state }) => ({ key, version, state: withoutSecrets(state) }));
        return { items, next: rows.length < limit ? null : (rows.at(-1)?.key ?? null) };
      },
    ),
    endpoint(
      {
        ...about,
        path: "/actor-types/:type",
        summary: "Show an actor type: its messages with their schemas, and its index",
        params: v.object({ type: v.string() }),
        answer: { status: 200, description: "The type", schema: Type },
        problems: [404],
      },
      ({ params: { type: name } }) => {
        const { type, options, messages } = typeOf(name);
        return {
          ...{ type, index: [...(options.index ?? [])], journal: options.journal !== undefined },
          messages: Object.entries(messages).map(([message, { kind, in: input, refuses = [] }]) => ({
            ...{ name: message, kind, refuses: [...refuses] },
            input: input === undefined ? null : { ...jsonSchemaOf(input, "input") },
          })),
        };
      },
    ),
    endpoint(
      {
        ...about,
        path: "/actors/:type/:key/journal",
        summary: "Show what happened to an actor",
        description: "The events of an actor whose type keeps a journal, oldest first, behind `after`.",
        params: v.object({ type: v.string(), key: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) }),
        query: v.strictObject({ limit: PageQuery.limit, after: v.optional(Number16, "0") }),
        answer: {
          status: 200,
          description: "A page",
          schema: v.object({ items: v.array(Entry), next: v.nullable(v.number()) }),
        },
        problems: [404],
      },
      async ({ params: { type: name, key }, query: { limit, after } }) => {
        const type = typeOf(name);
        if (type.options.journal === undefined) throw notFound("actor");
        const entries = await troupe().journal(type, key, { limit, after });
        return {
          items: entries.map(({ at, data, ...entry }) => ({
            ...entry,
            at: new Date(at).toISOString(),
            data: withoutSecrets(data),
          })),
          next: entries.length < limit ? null : (entries.at(-1)?.seq ?? null),
        };
      },
    ),
  ]);
}

async function listed(
  troupe: Troupe,
  type: AnyActorType,
  where: string | undefined,
  page: { readonly limit: number; readonly after?: string },
) {
  if (where === undefined) return await troupe.list(type, page);
  try {
    return await troupe.where(type, parsed(where) as never, page);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw unfit(error.message);
  }
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // said below
  }
  throw unfit('must be a JSON object, as in {"onHand": {"lt": 10}}');
}

function unfit(message: string): Problem {
  const issues = [{ path: "query/where", message }];
  return new Problem(422, "invalid_input", "The content does not fit: see errors", { issues });
}
