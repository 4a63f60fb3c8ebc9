import * as v from "valibot";
import { Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { GivenRoute, shownRoute } from "#actors/gateway/route/given.ts";
import { Name } from "#actors/gateway/route/messages.ts";
import { reservedPlace } from "#actors/gateway/route/reserved.ts";
import { Route } from "#actors/gateway/route/route.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import { Problem } from "#infra/http/problem.ts";
import type { GatewayDeps } from "./deps.ts";
import { GATEWAY_REFUSALS } from "./refusals.ts";

const about = { tag: "Event gateway", noun: "route", refusals: GATEWAY_REFUSALS.route, scope: "events" } as const;
const RESERVED = { expected: "a place that is not one of our own", received: "one of our own" } as const;
const ByName = v.object({ name: Name });
const Shown = v.object({ name: v.string(), ...GivenRoute.entries });

/** Which events go where. */
export function routeRoutes({ troupe, directory, nouns }: GatewayDeps) {
  return endpoints("routes", [
    endpoint(
      {
        ...about,
        method: "PUT",
        path: "/routes/:name",
        summary: "Put a route, or change it",
        description:
          "`match.type` is a type or a pattern: `*` stands for one word, at the end for one or more. `where` asks for values at JSON pointers into the event. In force on every node within a second, for events that are accepted from then on.",
        params: ByName,
        unfitPath: 422,
        body: GivenRoute,
        exact: true,
        answer: { status: 200, description: "Changed", schema: Shown },
        otherAnswers: [{ status: 201, description: "Made", schema: Shown }],
      },
      async ({ params: { name }, body, call, look }) => {
        const taken = body.to.flatMap((target, i) => {
          const message = "endpoint" in target ? undefined : reservedPlace(target, nouns());
          return message === undefined ? [] : [{ path: `/to/${i}`, message, ...RESERVED }];
        });
        if (taken.length > 0)
          throw new Problem(422, "route.reserved", "The route leads to a place of our own events", { issues: taken });
        for (const [i, target] of body.to.entries()) {
          if (!("endpoint" in target) || (await troupe().ref(Endpoint, target.endpoint).get(undefined, look)) !== null)
            continue;
          const issue = { path: `/to/${i}/endpoint`, message: "is no endpoint that is there" };
          throw new Problem(422, "route.unknown_endpoint", "The route leads to no endpoint", { issues: [issue] });
        }
        const { created } = await troupe().ref(Route, name).put(body, call);
        await directory().refresh();
        return new Reply(created ? 201 : 200, { name, ...shownRoute(body) });
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/routes/:name",
        summary: "Show a route",
        params: ByName,
        answer: { status: 200, description: "The route", schema: Shown },
      },
      async ({ params: { name }, look }) => {
        const config = await troupe().ref(Route, name).get(undefined, look);
        if (config === null) throw notFound("route");
        return { name, ...shownRoute(config) };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/routes",
        summary: "List the routes",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: pageOf(Shown) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Route, page),
          query,
          ({ key, state }) => (state.config === null ? undefined : { name: key, ...shownRoute(state.config) }),
        ),
    ),
    endpoint(
      {
        ...about,
        method: "DELETE",
        path: "/routes/:name",
        summary: "Remove a route",
        description: "Events that were accepted before still go where it led.",
        params: ByName,
        answer: { status: 204, description: "Gone" },
      },
      async ({ params: { name }, call }) => {
        await troupe().ref(Route, name).remove(undefined, call);
        await directory().refresh();
        return undefined;
      },
    ),
  ]);
}
