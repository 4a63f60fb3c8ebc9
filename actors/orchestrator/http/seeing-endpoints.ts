import * as v from "valibot";
import { Autoscaler } from "#actors/orchestrator/autoscaler/autoscaler.ts";
import { Decision, ServiceEvent, ServiceName } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { type Endpoint, endpoint, notFound } from "#infra/http/endpoint.ts";
import { pageOf, pageOfAll, PageQuery } from "#infra/http/listing.ts";
import { Problem } from "#infra/http/problem.ts";
import { ORCHESTRATOR_REFUSALS } from "./refusals.ts";
import type { OrchestratorDeps } from "./requests.ts";
import { ReplicaStats } from "./seeing.ts";

const ByName = v.object({ name: ServiceName });
const ABOUT = {
  tag: "Services",
  noun: "service",
  refusals: ORCHESTRATOR_REFUSALS.service,
  scope: "services",
  method: "GET",
  params: ByName,
} as const;

/** What can be seen of a service beside its state. */
export function seeingEndpoints({ troupe, containers }: OrchestratorDeps): Endpoint[] {
  const there = async (name: string, look: { readonly traceparent: string }): Promise<void> => {
    if ((await troupe().ref(Service, name).get(undefined, look)) === null) throw notFound("service");
  };
  return [
    endpoint(
      {
        ...ABOUT,
        path: "/services/:name/events",
        summary: "Show what happened to a service",
        unfitPath: 422,
        answer: {
          status: 200,
          description: "A page of the last 100, newest first",
          schema: pageOf(ServiceEvent),
        },
        query: v.strictObject(PageQuery),
        problems: [404],
      },
      async ({ params: { name }, query, look }) => {
        await there(name, look);
        const events = await troupe().ref(Service, name).events(undefined, look);
        return pageOfAll(events, query, ({ at, type, message }) => `${at} ${type} ${message}`);
      },
    ),
    endpoint(
      {
        ...ABOUT,
        path: "/services/:name/explain",
        summary: "Show why there are so many replicas",
        unfitPath: 422,
        answer: {
          status: 200,
          description:
            "The number now, the configured one, what the last look found, and the last 50 decisions with their numbers, newest first",
          schema: v.object({
            replicas: v.number(),
            configured: v.number(),
            /** The last look of the autoscaler; `null` where the service is not scaled. */
            now: v.nullable(
              v.object({
                at: v.string(),
                wants: v.number(),
                reason: v.string(),
                metrics: Decision.entries.metrics,
              }),
            ),
            decisions: v.array(Decision),
          }),
        },
        problems: [404],
      },
      async ({ params: { name }, look }) => {
        await there(name, look);
        const [explained, now] = await Promise.all([
          troupe().ref(Service, name).explain(undefined, look),
          troupe().ref(Autoscaler, name).last(undefined, look),
        ]);
        return { ...explained, now };
      },
    ),
    endpoint(
      {
        ...ABOUT,
        path: "/services/:name/stats",
        summary: "Show what the replicas take",
        description: "Of the replicas on all hosts that answer, whichever process drives them.",
        unfitPath: 422,
        answer: {
          status: 200,
          description: "By replica, over the last second",
          schema: pageOf(ReplicaStats),
        },
        query: v.strictObject(PageQuery),
        problems: [404],
      },
      async ({ params: { name }, query, look }) => {
        await there(name, look);
        const own = containers?.();
        if (!own) throw elsewhere();
        return pageOfAll([...(await own.stats(name))], query, ({ containerId }) => containerId);
      },
    ),
  ];
}

/** This process drives no engine. */
export function elsewhere(): Problem {
  return new Problem(503, "docker.unavailable", "This process drives no engine, or it has not answered yet", {
    retryAfter: 5,
  });
}
