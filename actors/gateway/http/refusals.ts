import type { Refusals } from "#infra/http/refusals.ts";

/** What the refusals of the gateway's actors mean over HTTP, by actor type. */
export const GATEWAY_REFUSALS = {
  source: {
    unknown_source: { status: 404, detail: "There is no such source" },
  },
  endpoint: {
    unknown_endpoint: { status: 404, detail: "There is no such endpoint" },
  },
  route: {
    unknown_route: { status: 404, detail: "There is no such route" },
  },
} as const satisfies Readonly<Record<string, Refusals>>;
