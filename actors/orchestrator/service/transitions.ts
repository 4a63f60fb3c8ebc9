/**
 * What a service's turns do to its state: the steps from one desired state to the next, and what is seen of them.
 * Each writes the state, emits what happened, tells who watches, and wakes the reconcile loop.
 */

import type * as v from "valibot";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import type {
  Condition,
  ConditionFound,
  ServiceChanged,
  ServiceConfigured,
  ServiceDegraded,
  ServiceReconciled,
} from "./messages.ts";
import { revisionOf } from "./revision.ts";
import { note, replicasOf, routesOf, runningOf, type State } from "./state.ts";

type Events = {
  "service.configured.v1": typeof ServiceConfigured;
  "service.reconciled.v1": typeof ServiceReconciled;
  "service.degraded.v1": typeof ServiceDegraded;
};

/** What a turn of this actor can do, as far as the functions below need it. */
interface Turn {
  readonly key: string;
  destroy(): void;
  readonly now: number;
  state: State;
  broadcast(topic: string, type: string, data: unknown): void;
  emit<Type extends keyof Events>(type: Type, data: v.InferInput<Events[Type]>): void;
  readonly workflow: { signalWithStart(start: ReturnType<typeof reconcile>): void };
}

/** The start or wake-up of a service's reconcile loop. */
export function reconcile(name: string) {
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

/** Whether there is no such service. A message that comes too late leaves nothing behind. */
export function isAbsent(c: Pick<Turn, "state" | "destroy">): boolean {
  if (c.state.spec !== null) return false;
  c.destroy();
  return true;
}

/** Puts a spec in force as a new revision. With a canary, beside the last good one. */
export function deploy(c: Turn, spec: NonNullable<State["spec"]>, deployed: number): void {
  const s = c.state;
  let count = deployed;
  let revision = revisionOf(spec, count);
  // After a failed update the same spec again is another try, under another name.
  if (s.failed?.revision === revision) revision = revisionOf(spec, ++count);
  const kept = new Set([revision, s.good?.revision]);
  const tries = s.update.canary !== null && s.good !== null && s.good.revision !== revision && replicasOf(s) > 0;
  const images = Object.entries(s.images).filter(([key]) => kept.has(key.slice(0, key.lastIndexOf("/"))));
  c.state = {
    ...s,
    spec,
    running: spec,
    revision,
    deployed: count,
    since: c.now,
    failed: null,
    lookForImage: false,
    canary: tries ? s.good : null,
    trial: {},
    images: Object.fromEntries(images),
  };
}

/** The last good revision takes the place of the one that was tried. Its containers are as they are. */
export function fallBack(c: Turn, reason: string): void {
  const s = c.state;
  const back = s.canary ?? s.good;
  if (back === null || back.revision === s.revision) return;
  const at = new Date(c.now).toISOString();
  const failed = { revision: s.revision, reason, at };
  c.state = { ...s, failed, running: back.spec, revision: back.revision, canary: null, since: c.now, paused: false };
  const message = `The update to ${failed.revision} was taken back: ${reason}`;
  const condition = { type: "rolled_back", severity: "note", reason: "update_failed", message } as const;
  const facts = { name: c.key, generation: s.generation, revision: failed.revision };
  c.emit("service.degraded.v1", { ...facts, conditions: [shown(condition, failed.revision, at)] });
  changed(c, s.configRevision, message);
}

/** Raises the generation, tells of it, and wakes the loop. */
export function changed(c: Turn, configRevision: number, message: string): void {
  c.state = { ...c.state, generation: next(c.state, configRevision), status: "progressing" };
  const { generation, revision, removed } = c.state;
  const replicas = replicasOf(c.state);
  note(c.state, c.now, "configured", message);
  const image = runningOf(c.state)?.image ?? "";
  c.emit("service.configured.v1", { name: c.key, generation, revision, image, replicas, removed, configRevision });
  tell(c, { name: c.key, status: "progressing", replicas, generation, removed });
  route(c);
  c.workflow.signalWithStart(reconcile(c.key));
}

export function hold(c: Turn, paused: boolean): void {
  if (isAbsent(c) || c.state.paused === paused) return;
  c.state = { ...c.state, paused, since: c.now };
  changed(c, c.state.configRevision, paused ? "updates were paused" : "updates were resumed");
}

/** Takes over what a report about the present generation says. */
export function judge(c: Turn, status: State["status"], found: readonly ConditionFound[]): void {
  const s = c.state;
  const at = new Date(c.now).toISOString();
  const all = s.failed === null ? found : [...found, takenBack(s.failed)];
  const conditions = all.map((one) => {
    const before = s.conditions.find((old) => old.type === one.type && old.observedRevision === s.revision);
    return { ...shown(one, s.revision, at), lastTransitionTime: before?.lastTransitionTime ?? at };
  });
  for (const one of conditions) {
    if (!s.conditions.some((old) => old.type === one.type)) note(s, c.now, one.type, one.message);
  }
  const facts = { name: c.key, generation: s.generation, revision: s.revision };
  const replicas = replicasOf(s);
  if (status === "converged" && s.reconciledGeneration !== s.generation) {
    s.reconciledGeneration = s.generation;
    note(s, c.now, "converged", `${replicas} replicas of ${s.revision}`);
    c.emit("service.reconciled.v1", { ...facts, replicas, removed: s.removed });
  }
  // Without a single replica nothing was proved.
  const running = runningOf(s);
  if (status === "converged" && running !== null && replicas > 0 && s.canary === null)
    s.good = { revision: s.revision, spec: running };
  if (status === "degraded" && s.status !== "degraded") c.emit("service.degraded.v1", { ...facts, conditions });
  const { generation, removed } = s;
  if (s.status !== status || s.conditions.length !== conditions.length)
    tell(c, { name: c.key, status, replicas, generation, removed });
  s.status = status;
  s.conditions = conditions;
}

function takenBack({ revision, reason }: NonNullable<State["failed"]>): ConditionFound {
  const message = `The update to ${revision} was taken back: ${reason}`;
  return { type: "rolled_back", severity: "note", reason: "update_failed", message };
}

function shown(found: ConditionFound, observedRevision: string, at: string): v.InferOutput<typeof Condition> {
  return { ...found, status: "True", lastTransitionTime: at, observedRevision };
}

/** Tells whoever watches that a service is not as it was: `services` and `services/<name>`. */
function tell(c: Pick<Turn, "key" | "broadcast">, change: ServiceChanged): void {
  c.broadcast(`services/${c.key}`, "service.changed", change);
  c.broadcast("services", "service.changed", change);
}

/** Tells those who forward requests where they go from now on. */
export function route(c: Pick<Turn, "key" | "broadcast" | "state">): void {
  c.broadcast("routes", "service.routes", { name: c.key, routes: c.state.removed ? null : routesOf(c.state) });
}
