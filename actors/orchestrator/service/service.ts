import * as v from "valibot";
import { actor } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import {
  Condition,
  ConfigureService,
  DesiredService,
  ObservedReplica,
  RemoveService,
  ReportService,
  type ServiceChanged,
  ServiceConfigured,
  ServiceDegraded,
  ServiceName,
  ServiceReconciled,
  ServiceSpec,
  ServiceStatus,
  ServiceView,
} from "./messages.ts";
import { revisionOf } from "./revision.ts";

const State = v.object({
  generation: v.number(),
  configRevision: v.number(),
  spec: v.nullable(ServiceSpec),
  revision: v.string(),
  replicas: v.number(),
  removed: v.boolean(),
  status: ServiceStatus,
  conditions: v.array(Condition),
  observed: v.array(ObservedReplica),
  /** The last generation the reconcile loop has taken up, and the last it has reached. */
  seenGeneration: v.number(),
  reconciledGeneration: v.number(),
});

export { revisionOf };

/** Tells whoever watches that a service is not as it was: `services` and `services/<name>`. */
function tell(
  c: { readonly key: string; broadcast(topic: string, type: string, data: unknown): void },
  change: ServiceChanged,
): void {
  c.broadcast(`services/${c.key}`, "service.changed", change);
  c.broadcast("services", "service.changed", change);
}

/** The start or wake-up of a service's reconcile loop. */
function reconcile(name: string) {
  return {
    type: "reconcileService",
    id: workflowIds.reconcileService(name),
    taskQueue: TASK_QUEUES.orchestrator,
    args: [{ name }],
    memo: { service: name },
    signal: { name: "wake" },
  };
}

/** Never goes back, not even when a service is removed and configured again: configuration revisions only grow. */
function next(state: { readonly generation: number }, configRevision: number): number {
  return Math.max(state.generation + 1, configRevision);
}

/**
 * `service/<name>`: the desired state of one service, and what was last seen of it. A change of the desired state, its
 * event and the wake-up of the reconcile loop are one commit: a change is never forgotten, nor acted on before it is durable.
 */
export const Service = actor("service", {
  key: ServiceName,
  state: State,
  initial: (): v.InferOutput<typeof State> => ({
    generation: 0,
    configRevision: 0,
    spec: null,
    revision: "",
    replicas: 0,
    removed: false,
    status: "progressing",
    conditions: [],
    observed: [],
    seenGeneration: 0,
    reconciledGeneration: 0,
  }),
  emits: {
    "service.configured.v1": ServiceConfigured,
    "service.reconciled.v1": ServiceReconciled,
    "service.degraded.v1": ServiceDegraded,
  },
  messages: ({ command, query }) => ({
    /** Sets the desired state. The same state again changes nothing but still wakes the loop. */
    configure: command(
      { in: ConfigureService, out: v.object({ generation: v.number(), revision: v.string() }) },
      (c, { spec, replicas, configRevision }) => {
        const s = c.state;
        const revision = revisionOf(spec);
        if (s.spec === null || s.removed || s.revision !== revision || s.replicas !== replicas) {
          c.state = {
            ...s,
            spec,
            revision,
            replicas,
            removed: false,
            generation: next(s, configRevision),
            configRevision,
            status: "progressing",
          };
          c.emit("service.configured.v1", {
            name: c.key,
            generation: c.state.generation,
            revision,
            image: spec.image,
            replicas,
            removed: false,
            configRevision,
          });
          tell(c, { name: c.key, status: "progressing", replicas, generation: c.state.generation, removed: false });
        }
        c.workflow.signalWithStart(reconcile(c.key));
        return { generation: c.state.generation, revision };
      },
    ),

    /** Asks for the end of the service: its containers are removed, then the loop ends. */
    remove: command({ in: RemoveService, out: v.object({ generation: v.number() }) }, (c, { configRevision }) => {
      const s = c.state;
      if (s.spec !== null && !s.removed) {
        c.state = {
          ...s,
          removed: true,
          replicas: 0,
          generation: next(s, configRevision),
          configRevision,
          status: "progressing",
        };
        c.emit("service.configured.v1", {
          name: c.key,
          generation: c.state.generation,
          revision: s.revision,
          image: s.spec.image,
          replicas: 0,
          removed: true,
          configRevision,
        });
        tell(c, { name: c.key, status: "progressing", replicas: 0, generation: c.state.generation, removed: true });
        c.workflow.signalWithStart(reconcile(c.key));
      }
      return { generation: c.state.generation };
    }),

    /** Records what the reconcile loop saw. A report about an older generation does not decide the status. */
    report: command({ in: ReportService }, (c, report) => {
      const s = c.state;
      if (s.spec === null) return;
      if (report.observed !== null) s.observed = report.observed;
      s.seenGeneration = Math.max(s.seenGeneration, report.generation);
      if (report.generation !== s.generation) return;

      const facts = { name: c.key, generation: s.generation, revision: s.revision };
      if (report.status === "converged" && s.reconciledGeneration !== s.generation) {
        s.reconciledGeneration = s.generation;
        c.emit("service.reconciled.v1", { ...facts, replicas: s.replicas, removed: s.removed });
      }
      if (report.status === "degraded" && s.status !== "degraded") {
        c.emit("service.degraded.v1", { ...facts, conditions: report.conditions });
      }
      const { status, conditions, replicas, generation, removed } = s;
      if (status !== report.status || conditions.length !== report.conditions.length)
        tell(c, { name: c.key, status: report.status, replicas, generation, removed });
      s.status = report.status;
      s.conditions = report.conditions;
      // A removed service whose containers are gone leaves nothing behind.
      if (s.removed && report.status === "converged") c.destroy();
    }),

    desired: query({ out: DesiredService }, ({ state }) => ({
      generation: state.generation,
      revision: state.revision,
      replicas: state.removed ? 0 : state.replicas,
      spec: state.spec,
      removed: state.removed || state.spec === null,
    })),

    get: query({ out: v.nullable(ServiceView) }, ({ key, state }) => viewOf(key, state)),
  }),
});

/** What the outside sees of a service; `null` when there is none. Also made from a listed state. */
export function viewOf(name: string, state: v.InferOutput<typeof State>): ServiceView | null {
  if (state.spec === null) return null;
  return {
    name,
    desired: {
      replicas: state.replicas,
      image: state.spec.image,
      revision: state.revision,
      generation: state.generation,
      configRevision: state.configRevision,
    },
    observed: state.observed,
    status: state.status,
    conditions: state.conditions,
    outbox: state.seenGeneration >= state.generation ? "DONE" : "PENDING",
    removed: state.removed,
  };
}
