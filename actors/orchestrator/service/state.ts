import * as v from "valibot";
import { DEFAULT_UPDATE, UpdatePolicy } from "../scaler/messages.ts";
import {
  Condition,
  Decision,
  type DesiredService,
  Draining,
  ObservedReplica,
  type RouteTable,
  ScalePolicy,
  ServiceEvent,
  ServiceSpec,
  ServiceStatus,
  type ServiceView,
} from "./messages.ts";

/** A revision with what its containers are made of. */
const Made = v.object({ revision: v.string(), spec: ServiceSpec });

/** What is kept of a service. Keys that came later have defaults: states of before are read as they are. */
export const State = v.object({
  generation: v.number(),
  configRevision: v.number(),
  /** What the configuration asks for; `null`: nothing. */
  spec: v.nullable(ServiceSpec),
  /** What is to run: of `spec`, or after a failed update of the last good revision. */
  revision: v.string(),
  running: v.optional(v.nullable(ServiceSpec), null),
  replicas: v.number(),
  removed: v.boolean(),
  status: ServiceStatus,
  conditions: v.array(Condition),
  observed: v.array(ObservedReplica),
  /** The last generation the reconcile loop has taken up, and the last it has reached. */
  seenGeneration: v.number(),
  reconciledGeneration: v.number(),
  /** The last generation whose event has come back over the broker; `null`: nobody listens there. */
  echoedGeneration: v.optional(v.nullable(v.number()), null),
  update: v.optional(UpdatePolicy, DEFAULT_UPDATE),
  scale: v.optional(v.nullable(ScalePolicy), null),
  /** What the autoscaler asks for; `null`: nothing yet. */
  scaled: v.optional(v.nullable(v.number()), null),
  dependsOn: v.optional(v.array(v.string()), []),
  graceMs: v.optional(v.number(), 10_000),
  /** How often the same spec was asked for anew. */
  deployed: v.optional(v.number(), 0),
  /** When the present revision was asked for, in milliseconds since the epoch. */
  since: v.optional(v.number(), 0),
  good: v.optional(v.nullable(Made), null),
  canary: v.optional(v.nullable(Made), null),
  failed: v.optional(v.nullable(v.object({ revision: v.string(), reason: v.string(), at: v.string() })), null),
  paused: v.optional(v.boolean(), false),
  /** Requests to the revision that is tried and to the one that stays, and how many of each failed. */
  trial: v.optional(
    v.record(v.picklist(["tried", "stays"]), v.object({ requests: v.number(), errors: v.number() })),
    {},
  ),
  /** Image ids by `<revision>/<host>`. */
  images: v.optional(v.record(v.string(), v.string()), {}),
  lookForImage: v.optional(v.boolean(), false),
  draining: v.optional(v.record(v.string(), Draining), {}),
  decisions: v.optional(v.array(Decision), []),
  events: v.optional(v.array(ServiceEvent), []),
});
export type State = v.InferOutput<typeof State>;

export const initialState = (): State => ({
  generation: 0,
  configRevision: 0,
  spec: null,
  revision: "",
  echoedGeneration: null,
  running: null,
  replicas: 0,
  removed: false,
  status: "progressing",
  conditions: [],
  observed: [],
  seenGeneration: 0,
  reconciledGeneration: 0,
  update: DEFAULT_UPDATE,
  scale: null,
  scaled: null,
  dependsOn: [],
  graceMs: 10_000,
  deployed: 0,
  since: 0,
  good: null,
  canary: null,
  failed: null,
  paused: false,
  trial: {},
  images: {},
  lookForImage: false,
  draining: {},
  decisions: [],
  events: [],
});

const MAX_EVENTS = 100;

/** Notes what happened; the oldest are forgotten. */
export function note(state: State, nowMs: number, type: string, message: string): void {
  state.events = [...state.events, { at: new Date(nowMs).toISOString(), type, message }].slice(-MAX_EVENTS);
}

/** How many replicas are to run now: the configuration's number, or within the bounds of `scale` the autoscaler's. */
export function replicasOf({ removed, replicas, scale, scaled }: State): number {
  if (removed) return 0;
  if (scale === null) return replicas;
  const asked = scaled ?? replicas;
  return asked === 0 && (scale.toZeroAfterMs !== null || scale.min === 0)
    ? 0
    : Math.min(Math.max(asked, scale.min), scale.max);
}

function mayBeZero({ scale }: State): boolean {
  return scale !== null && (scale.toZeroAfterMs !== null || scale.min === 0);
}

/** How many replicas of a new revision are tried: its share of all, rounded up. */
export function canaryReplicas(state: State): number {
  return Math.max(1, Math.ceil((replicasOf(state) * (state.update.canary ?? 0)) / 100));
}

export function desiredOf(state: State): DesiredService {
  const { canary } = state;
  const running = runningOf(state);
  const ports = running?.ports ?? [];
  return {
    generation: state.generation,
    revision: state.revision,
    replicas: replicasOf(state),
    removed: state.removed || running === null,
    canary: canary === null ? null : { base: canary.revision, replicas: canaryReplicas(state) },
    good: state.good?.revision ?? null,
    since: state.since,
    update: state.update,
    paused: state.paused,
    routed: ports.length > 0,
    pinned: ports.some((port) => port.host !== null),
    dependsOn: [...state.dependsOn],
    graceMs: state.graceMs,
    draining: Object.fromEntries(
      Object.entries(state.draining).map(([id, { since, open }]) => [
        id,
        { since, open: Object.values(open).reduce((sum, count) => sum + count, 0) },
      ]),
    ),
    lookForImage: state.lookForImage,
  };
}

/** What the present revision is made of. */
export function runningOf({ running, spec }: Pick<State, "running" | "spec">): State["running"] {
  return running ?? spec;
}

/** The specs of every revision that may have containers. */
export function specOf(state: State, revision: string): ServiceSpec | null {
  if (revision === state.revision) return runningOf(state);
  if (revision === state.canary?.revision) return state.canary.spec;
  return revision === state.good?.revision ? state.good.spec : null;
}

/** Where requests go: to what is healthy and not on its way out. */
export function routesOf(state: State): RouteTable {
  const wanted = replicasOf(state);
  return {
    revision: state.revision,
    share: state.canary === null ? null : (state.update.canary ?? 0) / 100,
    asleep: wanted === 0 && !state.removed && mayBeZero(state),
    desired: wanted,
    scaled: state.scale !== null,
    routed: (runningOf(state)?.ports.length ?? 0) > 0,
    replicas: state.observed.flatMap(({ containerId, host, revision, healthy, hostPorts, address }) =>
      healthy && hostPorts[0] !== undefined && state.draining[containerId] === undefined
        ? [{ containerId, host, revision, port: hostPorts[0], ...(address === undefined ? {} : { address }) }]
        : [],
    ),
  };
}

/** Whether the loop has taken up the last change and, where somebody listens, its event has come back over the broker. */
function isDone({ generation, seenGeneration, echoedGeneration }: State): boolean {
  return seenGeneration >= generation && (echoedGeneration === null || echoedGeneration >= generation);
}

/** What the outside sees of a service; `null` when there is none. Also made from a listed state. */
export function viewOf(name: string, state: State): ServiceView | null {
  const running = runningOf(state);
  if (running === null) return null;
  return {
    name,
    desired: {
      replicas: replicasOf(state),
      image: running.image,
      revision: state.revision,
      generation: state.generation,
      configRevision: state.configRevision,
    },
    observed: state.observed,
    status: state.status,
    conditions: state.conditions,
    outbox: isDone(state) ? "DONE" : "PENDING",
    removed: state.removed,
    paused: state.paused,
  };
}
