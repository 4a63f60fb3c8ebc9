import * as v from "valibot";
import { EventType } from "#actors/gateway/inbox/messages.ts";
import { type Difference, JsonSchema, type SchemaVersion } from "#actors/gateway/schema/messages.ts";
import { EventSchema } from "#actors/gateway/schema/schema.ts";
import { schemaOf, storedSchema } from "#actors/gateway/schema/stored.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import { Problem } from "#infra/http/problem.ts";
import { RefusedError } from "#runtime";
import type { GatewayDeps } from "./deps.ts";

const about = { tag: "Event gateway", noun: "schema", scope: "events" } as const;
const ByType = v.object({ type: EventType });
const Version = v.object({ version: v.number(), at: v.string(), forced: v.boolean() });
const Shown = v.object({ type: v.string(), ...Version.entries, schema: JsonSchema, versions: v.array(Version) });

/** What the data of events must look like. */
export function schemaRoutes({ troupe, directory, validator }: GatewayDeps) {
  return endpoints("schemas", [
    endpoint(
      {
        ...about,
        method: "PUT",
        path: "/schemas/:type",
        summary: "Put a schema for the data of an event type",
        description:
          "JSON Schema, draft 7, 2019-09 or 2020-12. A version that would refuse data which the one before takes is a 409 that names every difference, unless `force=true`.",
        params: ByType,
        unfitPath: 422,
        query: v.strictObject({ force: v.optional(v.picklist(["true", "false"])) }),
        body: JsonSchema,
        exact: true,
        answer: {
          status: 200,
          description: "In force",
          schema: v.object({ type: v.string(), version: v.number(), changed: v.boolean() }),
        },
        problems: [409],
      },
      async ({ params: { type }, query: { force }, body, call }) => {
        const compiled = await validator.compile(body);
        if (!("check" in compiled))
          throw new Problem(422, "schema.invalid", "This is no schema that can be used: see errors", {
            issues: compiled,
          });
        const ref = troupe().ref(EventSchema, type);
        const put = await ref.put({ ...storedSchema(body), force: force === "true" }, call).catch(asProblem);
        await directory().refresh();
        return { type, ...put };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/schemas/:type",
        summary: "Show the schema of an event type",
        params: ByType,
        query: v.strictObject({
          version: v.optional(v.pipe(v.string(), v.regex(/^[0-9]{1,9}$/), v.transform(Number))),
        }),
        answer: { status: 200, description: "The newest version, or the one asked for", schema: Shown },
      },
      async ({ params: { type }, query: { version }, look }) => {
        const versions = await troupe().ref(EventSchema, type).get(undefined, look);
        const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version);
        if (found === undefined) throw notFound("schema");
        return { type, ...headOf(found), schema: schemaOf(found), versions: versions.map(headOf) };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/schemas",
        summary: "List the event types that have a schema",
        query: v.strictObject(PageQuery),
        answer: {
          status: 200,
          description: "A page, in order of the type",
          schema: pageOf(v.object({ type: v.string(), ...Version.entries })),
        },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(EventSchema, page),
          query,
          ({ key, state }) => {
            const latest = state.versions.at(-1);
            return latest && { type: key, ...headOf(latest) };
          },
        ),
    ),
  ]);
}

function headOf({ version, at, forced }: SchemaVersion): v.InferOutput<typeof Version> {
  return { version, at, forced };
}

function asProblem(error: unknown): never {
  if (!(error instanceof RefusedError) || error.reason !== "incompatible") throw error;
  const issues = error.data["differences"] as readonly Difference[];
  throw new Problem(
    409,
    "schema.incompatible",
    "Data that is valid now would be refused: see errors, or put it with force=true",
    { issues },
  );
}
