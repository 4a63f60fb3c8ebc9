import { replicasOf } from "#actors/orchestrator/scaler/observe.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { asFailure } from "../as-failure.ts";
import { createActingActivities } from "./act-activities.ts";
import { createLookingActivities } from "./look-activities.ts";
import { messageId } from "./message-id.ts";
import type { RoundReport, World } from "./messages.ts";
import type { ReconcileDeps } from "./needs-of-activities.ts";

/** The activities of `reconcileService`, to be registered with a worker of the task queue `orchestrator`. */
export function createReconcileActivities(deps: ReconcileDeps) {
  const service = (name: string) => deps.troupe.ref(Service, name);
  return {
    ...createLookingActivities(deps),
    ...createActingActivities(deps),

    /** Tells the service what was seen. */
    async reportService(name: string, world: World, report: RoundReport): Promise<void> {
      const known = world.hosts.every(({ containers }) => containers !== null) && world.hosts.length > 0;
      const containers = world.hosts.flatMap((host) => host.containers ?? []);
      const observed = known ? replicasOf(containers, world.slots) : null;
      const full = { ...report, conditions: [...report.conditions], generation: world.desired.generation, observed };
      await asFailure(service(name).report(full, { id: messageId("report", full) }));
      deps.reconciled?.(Math.max(0, Date.now() - world.nowMs) / 1_000);
    },

    /** The update to a revision has failed. */
    async rollBack(name: string, revision: string, reason: string): Promise<void> {
      await asFailure(service(name).rollBack({ revision, reason }));
    },
  };
}

/** What the workflow knows of the activities. */
export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;
