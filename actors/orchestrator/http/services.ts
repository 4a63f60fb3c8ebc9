import * as v from "valibot";
import { Config } from "#actors/orchestrator/config/config.ts";
import type { ConfigApplied, ConfigServices } from "#actors/orchestrator/config/messages.ts";
import { Replicas, ServiceName } from "#actors/orchestrator/service/messages.ts";
import { Service, viewOf } from "#actors/orchestrator/service/service.ts";
import { type Endpoint, endpoint, notFound } from "#infra/http/endpoint.ts";
import { PageQuery, readPage } from "#infra/http/listing.ts";
import { ServiceAnswer, ServiceChanged, ServicesAnswer } from "./answers.ts";
import { ORCHESTRATOR_REFUSALS } from "./refusals.ts";
import { type OrchestratorDeps, orProblem } from "./requests.ts";
import { onItsWay, publicView } from "./view.ts";

const ByName = v.object({ name: ServiceName });
const SERVICE = {
  tag: "Services",
  noun: "service",
  refusals: ORCHESTRATOR_REFUSALS.service,
  scope: "services",
} as const;

/** The endpoints below `/services`. */
export function serviceEndpoints({ troupe }: OrchestratorDeps): Endpoint[] {
  const config = () => troupe().ref(Config, "main");
  return [
    endpoint(
      {
        ...SERVICE,
        method: "GET",
        path: "/services",
        summary: "List services",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: ServicesAnswer },
      },
      async ({ query }) => {
        return await readPage(
          (page) => troupe().list(Service, page),
          query,
          ({ key, state }) => publicView(viewOf(key, state)),
        );
      },
    ),
    endpoint(
      {
        ...SERVICE,
        method: "GET",
        path: "/services/:name",
        summary: "Show a service",
        params: ByName,
        unfitPath: 422,
        answer: {
          status: 200,
          description: "What is desired, what was seen last, and how far it is",
          schema: ServiceAnswer,
        },
        problems: [404],
      },
      async ({ params: { name }, look }) => {
        const view =
          (await troupe().ref(Service, name).get(undefined, look)) ??
          onItsWay(name, (await config().get(undefined, look)).services as ConfigServices);
        const shown = publicView(view);
        if (!shown) throw notFound("service");
        return shown;
      },
    ),
    endpoint(
      {
        ...SERVICE,
        method: "PATCH",
        path: "/services/:name",
        summary: "Change the number of replicas",
        description: "As a new revision of the configuration.",
        params: ByName,
        unfitPath: 422,
        body: v.strictObject({ replicas: Replicas }),
        answer: { status: 202, description: "The change", schema: ServiceChanged },
        problems: [404],
      },
      async ({ params: { name }, body: { replicas }, call }) => {
        return single(name, await orProblem(config().scale({ name, replicas }, call)));
      },
    ),
    endpoint(
      {
        ...SERVICE,
        method: "DELETE",
        path: "/services/:name",
        summary: "Remove a service",
        description: "As a new revision of the configuration. It is gone once its last container is.",
        params: ByName,
        unfitPath: 422,
        answer: { status: 202, description: "The change", schema: ServiceChanged },
        problems: [404],
      },
      async ({ params: { name }, call }) => {
        return single(name, await orProblem(config().drop({ name }, call)));
      },
    ),
  ];
}

/** The part of a reply that speaks of one service. */
function single(name: string, { revision, services }: ConfigApplied): v.InferInput<typeof ServiceChanged> {
  const found = services.find((service) => service.name === name);
  if (!found) throw notFound("service");
  return { name, revision, change: found.change, workflowId: found.workflowId };
}
