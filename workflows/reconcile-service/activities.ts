import { activityInfo } from "@temporalio/activity";
import type { ActionsApplied, ApplyActions, ObservedContainer, Slots } from "#actors/orchestrator/scaler/messages.ts";
import { observe, replicasOf } from "#actors/orchestrator/scaler/scaler.ts";
import type { ScalerActor } from "#actors/orchestrator/scaler/scaler.ts";
import type { DesiredService, ReportService } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import type { Engine } from "#infra/docker/engine.ts";
import { EngineError } from "#infra/docker/errors.ts";
import type { Troupe } from "#runtime";
import { toApplicationFailure } from "../actor-calls.ts";

/** What the activities work with. */
export interface ReconcileDeps {
  readonly troupe: Troupe;
  readonly engine: Engine;
  /** The definition that was given to `createTroupe`. */
  readonly scaler: ScalerActor;
  /** Told how many seconds a round took, from its look at the world to its report. */
  readonly reconciled?: (seconds: number) => void;
}

/** The world as one round of the loop sees it. `containers: null`: the engine could not be asked, for `reason`. */
export interface World {
  readonly desired: DesiredService;
  readonly containers: readonly ObservedContainer[] | null;
  readonly reason: string | null;
  readonly slots: Slots;
  readonly nowMs: number;
}

/** The activities of `reconcileService`, to be registered with a worker of the task queue `orchestrator`. */
export function createReconcileActivities({ troupe, engine, scaler, reconciled }: ReconcileDeps) {
  return {
    /** Reads what is desired, what is there, and what is remembered of each slot. Changes nothing. */
    async observeService(name: string): Promise<World> {
      const [desired, slots, seen] = await Promise.all([
        asFailure(troupe.ref(Service, name).desired()),
        asFailure(troupe.ref(scaler, name).slots()),
        observe(engine, name).then(
          (containers) => ({ containers, reason: null }),
          (error: unknown) => {
            if (!(error instanceof EngineError)) throw error;
            return { containers: null, reason: error.message };
          },
        ),
      ]);
      return { desired, slots, nowMs: Date.now(), ...seen };
    },

    /** Has the scaler carry out actions. A repeat of the same activity with the same actions acts once. */
    async applyActions(name: string, input: ApplyActions): Promise<ActionsApplied> {
      return await asFailure(troupe.ref(scaler, name).apply(input, { id: messageId(input), timeout: "60s" }));
    },

    /** Tells the service what was seen. */
    async reportService(
      name: string,
      world: World,
      report: Omit<ReportService, "observed" | "generation">,
    ): Promise<void> {
      const observed = world.containers === null ? null : replicasOf(world.containers, world.slots);
      const full = { ...report, generation: world.desired.generation, observed };
      await asFailure(troupe.ref(Service, name).report(full, { id: messageId(full) }));
      reconciled?.(Math.max(0, Date.now() - world.nowMs) / 1_000);
    },
  };
}

/** What the workflow knows of the activities. */
export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

/**
 * The message id of this activity's call. The input is part of it: a local activity that was not recorded before its
 * worker died runs again under the same activity id, but maybe with another plan.
 */
function messageId(input: unknown): string {
  const { activityId, workflowExecution } = activityInfo();
  const { workflowId, runId } = workflowExecution ?? { workflowId: "none", runId: "none" };
  return `${workflowId}/${runId}/${activityId}/${Bun.hash(JSON.stringify(input)).toString(36)}`;
}

/** Errors of the runtime as Temporal understands them: the type is the code, and only what may pass is tried again. */
async function asFailure<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toApplicationFailure(error);
  }
}
