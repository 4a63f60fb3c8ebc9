import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import { ACCESS } from "#infra/http/access.ts";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import type { PastMetrics } from "#infra/telemetry/metrics-history.ts";
import type { MetricsText } from "../deps.ts";

/** `GET /metrics`, for Prometheus. With authentication on it needs a key, as it tells how business goes. */
export function metricsRoute(metrics: MetricsText) {
  return new Elysia({ name: "metrics" }).get(
    "/metrics",
    async ({ request }) => {
      const { contentType, text } = await metrics.scrape(request.headers.get("accept"));
      return new Response(text, {
        headers: { "content-type": contentType, "cache-control": "no-store", vary: "accept" },
      });
    },
    { detail: { hide: true, [ACCESS]: "admin" } as DocumentDecoration },
  );
}

const Past = v.object({
  everyMs: v.number(),
  times: v.pipe(v.array(v.number()), v.description("Milliseconds since 1970, the oldest first")),
  series: v.array(
    v.object({
      name: v.string(),
      kind: v.picklist(["counter", "gauge"]),
      label: v.string(),
      values: v.pipe(
        v.array(v.nullable(v.number())),
        v.description("One for each time: of a counter its rate a second. `null`: it was not measured"),
      ),
    }),
  ),
});

/** `GET /metrics/history`, for the console. */
export function pastMetricsRoutes(past: () => PastMetrics) {
  return endpoints("past-metrics", [
    endpoint(
      {
        ...{ tag: "System", noun: "metric", scope: "admin", method: "GET", path: "/metrics/history" },
        summary: "Show a few metrics of the past hours",
        description:
          "Of the process that answers, since it was started, at most six hours: kept in memory, for a look where there is no Prometheus.",
        answer: { status: 200, description: "The samples", schema: Past },
      },
      () => past() as v.InferInput<typeof Past>,
    ),
  ]);
}
