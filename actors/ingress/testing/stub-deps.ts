import { Problem } from "#infra/http/problem.ts";
import { silentLog } from "#runtime";
import type { IngressDeps } from "../deps.ts";

/** Dependencies for tests: everything is up, no actor system and no Temporal unless given. */
export function stubDeps(given: Partial<IngressDeps> = {}): IngressDeps {
  const absent = (): never => {
    throw new Problem(503, "unavailable", "Not here in this test", { retryAfter: 1 });
  };
  return {
    troupe: absent,
    orders: absent,
    reports: absent,
    audit: absent,
    workflows: absent,
    codec: absent,
    readiness: async () => ({ status: "ready", components: [] }),
    links: { workflow: (id) => `http://ui.test/${encodeURIComponent(id)}`, temporalUi: null },
    log: silentLog,
    ...given,
  };
}
