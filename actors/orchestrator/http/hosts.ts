import * as v from "valibot";
import { Host, HostView, hostView } from "#actors/orchestrator/host/host.ts";
import { type Endpoint, endpoint } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import type { OrchestratorDeps } from "./requests.ts";

/** The endpoints below `/hosts`. */
export function hostEndpoints({ troupe }: OrchestratorDeps): Endpoint[] {
  return [
    endpoint(
      {
        tag: "Services",
        noun: "host",
        scope: "services",
        method: "GET",
        path: "/hosts",
        summary: "List the engines that containers run on",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: pageOf(HostView) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Host, page),
          query,
          ({ key, state }) => hostView(key, state, Date.now()),
        ),
    ),
  ];
}
