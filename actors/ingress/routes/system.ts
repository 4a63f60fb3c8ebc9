import * as v from "valibot";
import { endpoint, endpoints, Reply } from "#infra/http/endpoint.ts";
import type { IngressDeps } from "../deps.ts";

const ReadinessAnswer = v.object({
  status: v.picklist(["ready", "unavailable"]),
  components: v.array(
    v.object({
      name: v.string(),
      status: v.picklist(["up", "down", "absent"]),
      address: v.nullable(v.string()),
      how: v.string(),
    }),
  ),
});

const about = { tag: "System", noun: "system", scope: "open", method: "GET" } as const;

/** Whether the process lives, and whether it is of use. */
export function systemRoutes({ readiness }: Pick<IngressDeps, "readiness">) {
  return endpoints("system", [
    endpoint(
      {
        ...about,
        path: "/health",
        anyQuery: true,
        summary: "Whether the process is alive",
        description: "Says nothing about what it needs: restarting it would not help there.",
        answer: { status: 200, description: "Alive", schema: v.object({ status: v.literal("ok") }) },
      },
      () => ({ status: "ok" as const }),
    ),
    endpoint(
      {
        ...about,
        path: "/ready",
        anyQuery: true,
        summary: "Whether everything it needs answers",
        description: "`how` of a component that is down or absent says what to do. An answer is at most a second old.",
        answer: { status: 200, description: "Ready", schema: ReadinessAnswer },
        otherAnswers: [
          { status: 503, description: "Something needed is down: see components", schema: ReadinessAnswer },
        ],
      },
      async () => {
        const { status, components } = await readiness();
        const body = { status, components: [...components] };
        return status === "ready" ? body : new Reply(503, body, { "retry-after": "1" });
      },
    ),
  ]);
}
