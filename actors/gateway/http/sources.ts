import * as v from "valibot";
import { Name } from "#actors/gateway/route/messages.ts";
import { PutSource, SourceView, sourceView } from "#actors/gateway/source/messages.ts";
import { Source } from "#actors/gateway/source/source.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import { Problem } from "#infra/http/problem.ts";
import type { GatewayDeps } from "./deps.ts";
import { GATEWAY_REFUSALS } from "./refusals.ts";
import { secretFault } from "./webhook.ts";

const about = { tag: "Event gateway", noun: "source", refusals: GATEWAY_REFUSALS.source, scope: "events" } as const;
const ByName = v.object({ name: Name });

/** The senders of webhooks. Secrets go in, and never out. */
export function sourceRoutes({ troupe, directory }: GatewayDeps) {
  return endpoints("sources", [
    endpoint(
      {
        ...about,
        method: "PUT",
        path: "/sources/:name",
        summary: "Register a source of webhooks, or change it",
        description:
          "Its webhooks go to `POST /events/<name>`. All secrets are tried: to rotate one, put the new one before the old one, and later leave the old one out.",
        params: ByName,
        unfitPath: 422,
        body: PutSource,
        answer: { status: 200, description: "Changed", schema: SourceView },
        otherAnswers: [{ status: 201, description: "Registered", schema: SourceView }],
      },
      async ({ params: { name }, body, call }) => {
        const fault = secretFault(body);
        if (fault !== undefined) {
          const issue = { path: "/secrets", message: fault };
          throw new Problem(422, "invalid_input", "The content does not fit: see errors", { issues: [issue] });
        }
        const { created } = await troupe().ref(Source, name).put(body, call);
        await directory().refresh();
        return new Reply(created ? 201 : 200, sourceView(name, body));
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/sources/:name",
        summary: "Show a source",
        params: ByName,
        answer: { status: 200, description: "Without its secrets", schema: SourceView },
      },
      async ({ params: { name }, look }) => {
        const source = await troupe().ref(Source, name).get(undefined, look);
        if (source === null) throw notFound("source");
        return source;
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/sources",
        summary: "List the sources",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: pageOf(SourceView) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Source, page),
          query,
          ({ key, state }) => (state.config === null ? undefined : sourceView(key, state.config)),
        ),
    ),
    endpoint(
      {
        ...about,
        method: "DELETE",
        path: "/sources/:name",
        summary: "Remove a source",
        params: ByName,
        answer: { status: 204, description: "Gone; its webhooks get 404" },
      },
      async ({ params: { name }, call }) => {
        await troupe().ref(Source, name).remove(undefined, call);
        await directory().refresh();
        return undefined;
      },
    ),
  ]);
}
