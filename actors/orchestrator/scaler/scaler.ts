import * as v from "valibot";
import type { Engine } from "#infra/docker/engine.ts";
import { actor } from "#runtime";
import { ServiceName } from "../service/messages.ts";
import { applyActions } from "./apply.ts";
import type { Outcome } from "./apply.ts";
import { ActionsApplied, ApplyActions, ContainerDied, ContainerStarted, slotKey, Slots } from "./messages.ts";

export { observe, replicasOf } from "./observe.ts";
export { startWatcher, wakeThrough } from "./watcher.ts";

/**
 * `scaler/<service>`: drives the engine for one service. One turn at a time per service, so that two plans are never
 * carried out at once; what it remembers are the slots: restarts and pauses.
 *
 * A turn whose commit fails after the engine acted is harmless: actions are idempotent, and the next plan starts from
 * what is there.
 */
export function scalerActor(deps: { readonly engine: Engine }) {
  return actor("scaler", {
    key: ServiceName,
    state: v.object({ slots: Slots }),
    initial: () => ({ slots: {} }),
    emits: { "container.started.v1": ContainerStarted, "container.died.v1": ContainerDied },
    messages: ({ command, query }) => ({
      /** Carries out the actions of a plan. Failures of the engine are part of the reply, never a throw. */
      apply: command({ in: ApplyActions, out: ActionsApplied }, async (c, input) => {
        const service = c.key;
        const { revision } = input;
        for (const action of input.actions) {
          if (action.kind !== "record-death") continue;
          const { containerId, replica, exitCode, oomKilled, slot } = action;
          c.state.slots[slotKey(revision, replica)] = slot;
          c.emit("container.died.v1", {
            service,
            revision,
            replica,
            containerId,
            reason: oomKilled ? "oom" : "exited",
            exitCode,
          });
        }

        const outcomes = await applyActions(deps.engine, { ...input, service, slots: c.state.slots, nowMs: c.now });
        for (const outcome of outcomes) {
          if (outcome.kind === "started") {
            const { containerId, slot, action } = outcome;
            c.state.slots[slotKey(revision, action.replica)] = slot;
            c.emit("container.started.v1", {
              service,
              revision,
              replica: action.replica,
              containerId,
              restarts: slot.restarts,
            });
          } else if (outcome.kind === "failed" && outcome.action.kind !== "remove") {
            c.state.slots[slotKey(revision, outcome.action.replica)] = outcome.slot;
          } else if (outcome.kind === "removed") {
            const { containerId, replica, running, revision: old } = outcome.action;
            if (outcome.action.reason !== "unusable") delete c.state.slots[slotKey(old, replica)];
            if (running)
              c.emit("container.died.v1", {
                service,
                revision: old,
                replica,
                containerId,
                reason: "removed",
                exitCode: null,
              });
          }
        }
        forgetOthers(c.state.slots, revision, outcomes);
        if (input.spec === null && Object.keys(c.state.slots).length === 0) c.destroy();
        return summary(outcomes);
      }),

      /** What is remembered of each slot. */
      slots: query({ out: Slots }, (c) => c.state.slots),
    }),
  });
}

/** The type of the actor made by {@link scalerActor}. */
export type ScalerActor = ReturnType<typeof scalerActor>;

/** Slots of other revisions go, once an action of this revision was carried out: nobody will fill them again. */
function forgetOthers(slots: Slots, revision: string, outcomes: readonly Outcome[]): void {
  if (!outcomes.some((outcome) => outcome.kind === "started" || outcome.kind === "removed")) return;
  for (const key of Object.keys(slots)) {
    if (!key.startsWith(`${revision}/`)) delete slots[key];
  }
}

function summary(outcomes: readonly Outcome[]): ActionsApplied {
  const unavailable = outcomes.find((outcome) => outcome.kind === "unavailable");
  const failed = outcomes.filter((outcome) => outcome.kind === "failed" || outcome.kind === "unavailable").length;
  return { done: outcomes.length - failed, failed, unavailable: unavailable?.reason ?? null };
}
