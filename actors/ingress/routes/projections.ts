import * as v from "valibot";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import type { IngressDeps } from "../deps.ts";

const Status = v.object({
  name: v.string(),
  version: v.nullable(v.number()),
  building: v.nullable(v.object({ version: v.number(), state: v.picklist(["building", "feeding"]) })),
  behind: v.number(),
  oldestMs: v.number(),
  failing: v.array(v.string()),
});
const Begun = v.object({ name: v.string(), build: v.number(), version: v.number() });
const ByName = v.object({ name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,39}$/)) });

const about = { tag: "Projections", noun: "projection", scope: "admin" } as const;

/** Read models: how far they are, and building them anew. */
export function projectionRoutes({ troupe }: Pick<IngressDeps, "troupe">) {
  return endpoints("projections", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/projections",
        summary: "Show how far the read models are",
        description:
          "As this process sees it: `behind` and `oldestMs` count the events of the actors that live here and are not in the tables yet.",
        answer: { status: 200, description: "Every projection", schema: v.object({ items: v.array(Status) }) },
      },
      () => ({
        items: troupe()
          .status()
          .projections.map(({ version, building, failing, ...rest }) => ({
            ...rest,
            version: version ?? null,
            building: building ?? null,
            failing: [...failing],
          })),
      }),
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/projections/:name/rebuild",
        summary: "Build a read model anew from the journals",
        description:
          "Beside the one that serves, which readers keep until the new one has everything. While a build is under way, that one is answered.",
        params: ByName,
        answer: { status: 202, description: "Under way; GET /projections shows it", schema: Begun },
      },
      async ({ params: { name } }) => {
        const known = troupe()
          .status()
          .projections.some((projection) => projection.name === name);
        if (!known) throw notFound("projection");
        const { id, version } = await troupe().rebuildProjection(name);
        return { name, build: id, version };
      },
    ),
  ]);
}
