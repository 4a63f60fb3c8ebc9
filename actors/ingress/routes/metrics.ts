import { type DocumentDecoration, Elysia } from "elysia";
import { ACCESS } from "#infra/http/access.ts";
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
