import type { Refusals } from "#infra/http/refusals.ts";

/** What the refusals of the orchestrator's actors mean over HTTP, by actor type. */
export const ORCHESTRATOR_REFUSALS = {
  service: {
    unknown_service: { status: 404, detail: "There is no such service" },
  },
} as const satisfies Readonly<Record<string, Refusals>>;
