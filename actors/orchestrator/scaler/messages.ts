import * as v from "valibot";

/** Whether a container does its work. `none`: it has no check, so running is all that is known. */
export type Health = "none" | "starting" | "healthy" | "unhealthy";

/** What somebody changed on a container by hand. */
export type Difference = "limits" | "restart_policy" | "name" | "ports";

/** A container of a service, as its host reports it. */
export interface ObservedContainer {
  readonly id: string;
  readonly host: string;
  readonly service: string;
  readonly revision: string;
  readonly replica: number;
  readonly image: string;
  readonly imageId: string;
  readonly state: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Where its ports are reached; without it on the machine itself. */
  readonly address?: string;
  /** Published ports, in order of the container port. */
  readonly ports: readonly { readonly container: number; readonly host: number }[];
  readonly health: Health;
  readonly differences: readonly Difference[];
  /** Why it neither runs nor ends, or cannot be asked about itself; or `null`. */
  readonly stuck: string | null;
  readonly fence: number;
}

/** The history of one slot (`<revision>/<replica>`): how often it ended, and until when it has to wait. */
export const Slot = v.strictObject({
  /** Ends that nobody here asked for. */
  restarts: v.number(),
  /** Ends and failed starts in a row; 0 again after 10 minutes of good work. */
  streak: v.number(),
  /** Those of the streak that are the revision's own fault: not a kill from outside. */
  failures: v.number(),
  /** Not started again before this time (milliseconds since the epoch). */
  retryAt: v.number(),
  /** How long the last run was, in milliseconds. */
  ranMs: v.number(),
  /** Why the last start failed or the last run ended, while that matters. */
  error: v.nullable(v.strictObject({ code: v.string(), message: v.string() })),
});
export type Slot = v.InferOutput<typeof Slot>;
export const Slots = v.record(v.string(), Slot);
export type Slots = v.InferOutput<typeof Slots>;

/** What is there, at `nowMs`. */
export interface Observed {
  readonly containers: readonly ObservedContainer[];
  readonly slots: Slots;
  readonly nowMs: number;
}

/** The slot of a container. */
export const slotKey = (revision: string, replica: number): string => `${revision}/${replica}`;

const Replica = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(9_999));
const Where = { host: v.string(), containerId: v.string(), revision: v.string(), replica: Replica };

/** One step towards the desired state. Each is idempotent. */
export const Action = v.variant("kind", [
  /** Create the container of a slot, and start it unless the old one still has its port. */
  v.strictObject({
    kind: v.literal("create"),
    host: v.string(),
    revision: v.string(),
    replica: Replica,
    start: v.boolean(),
  }),
  /** Start a container that is there but does not run. */
  v.strictObject({ kind: v.literal("start"), ...Where }),
  /** Stop and start a container whose check fails. */
  v.strictObject({ kind: v.literal("restart"), ...Where }),
  /** Stop a container that keeps a port its successor needs. It is started again if the successor fails. */
  v.strictObject({ kind: v.literal("stop"), ...Where }),
  /** Take a container out of the rotation: no new requests. */
  v.strictObject({ kind: v.literal("drain"), ...Where }),
  /** Put it back. */
  v.strictObject({ kind: v.literal("undrain"), ...Where }),
  /** Undo what was changed on it by hand. */
  v.strictObject({ kind: v.literal("mend"), ...Where }),
  v.strictObject({ kind: v.literal("remove"), ...Where, reason: v.picklist(["excess", "outdated", "unusable"]) }),
]);
export type Action = v.InferOutput<typeof Action>;

/** What came of actions. */
export interface Acted {
  /** The slots that could not be filled. */
  readonly failed: readonly Failed[];
  /** What could not be ended: why. */
  readonly kept: readonly { readonly containerId: string; readonly why: string }[];
  /** Why the engine could not be reached, or `null`. */
  readonly unavailable: string | null;
  /** A later look has begun: the rest was left to it. */
  readonly fenced: boolean;
  /** What it was asked to do, for people: as in `create web/2`. */
  readonly asked?: readonly string[];
}

export interface Failed {
  readonly revision: string;
  readonly replica: number;
  readonly error: { readonly code: string; readonly message: string };
  readonly retryInMs: number | null;
}

/** What a plan knows of a service. A removed service wants no replicas. */
export interface Desired {
  readonly service: string;
  /** The revision to run. */
  readonly revision: string;
  readonly replicas: number;
  /** While a canary is tried: the revision that stays, in `replicas`, and how many of the new one run beside it. */
  readonly canary: { readonly base: string; readonly replicas: number } | null;
  /** The last revision that has converged; `null`: none yet. */
  readonly good: string | null;
  /** When the revision was asked for, in milliseconds since the epoch. */
  readonly since: number;
  readonly update: UpdatePolicy;
  /** No further step of an update; what runs is kept running. */
  readonly paused: boolean;
  /** It has ports: it gets requests, and is drained before it goes. */
  readonly routed: boolean;
  /** It pins a port of the machine: old and new cannot run side by side. */
  readonly pinned: boolean;
  readonly drainMs: number;
  /** Services that must be ready before the first container of this one is made, and are not. */
  readonly waitsFor: readonly string[];
  /** Where containers may be put. */
  readonly hosts: readonly string[];
  /** Containers out of the rotation: since when, and how many requests they still answer. */
  readonly draining: Readonly<Record<string, { readonly since: number; readonly open: number }>>;
}

/** How one revision takes the place of another. */
export const UpdatePolicy = v.strictObject({
  order: v.picklist(["start-first", "stop-first"]),
  /** Containers beyond the number of replicas that may run meanwhile. */
  maxSurge: v.number(),
  /** Replicas that may be missing meanwhile. */
  maxUnavailable: v.number(),
  /** How long a new replica must be ready before it counts; `null`: 10 s for the first, 1 s for the others. */
  minReadyMs: v.nullable(v.number()),
  /** Without progress for so long, the update has failed. */
  deadlineMs: v.number(),
  /** So many failures of the new revision, and the update has failed. */
  maxFailures: v.number(),
  /** The share of requests (and replicas) that a new revision gets until it is promoted, in percent; `null`: no canary. */
  canary: v.nullable(v.number()),
});
export type UpdatePolicy = v.InferOutput<typeof UpdatePolicy>;

export const DEFAULT_UPDATE: UpdatePolicy = {
  order: "start-first",
  maxSurge: 1,
  maxUnavailable: 0,
  minReadyMs: null,
  deadlineMs: 120_000,
  maxFailures: 3,
  canary: null,
};

/** `container.started.v1` */
export const ContainerStarted = v.strictObject({
  service: v.string(),
  revision: v.string(),
  replica: v.number(),
  containerId: v.string(),
  restarts: v.number(),
});
/**
 * `container.died.v1`. `reason`: `exited` by itself or killed from outside, `oom`, `removed` by the scaler, or `lost`:
 * somebody else removed it. Each `container.started.v1` is followed by one.
 */
export const ContainerDied = v.strictObject({
  service: v.string(),
  revision: v.string(),
  replica: v.number(),
  containerId: v.string(),
  reason: v.picklist(["exited", "oom", "removed", "lost"]),
  exitCode: v.nullable(v.number()),
});
