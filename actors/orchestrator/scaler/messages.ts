import * as v from "valibot";
import { ServiceSpec } from "../service/messages.ts";

/** A container of a service, as the engine reports it. */
export interface ObservedContainer {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  readonly replica: number;
  readonly image: string;
  readonly state: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly hostPorts: readonly number[];
}

/** The history of one slot (`<revision>/<replica>`): how often it was restarted, and until when it has to wait. */
export const Slot = v.strictObject({
  restarts: v.number(),
  /** Short runs and failed starts in a row. */
  streak: v.number(),
  /** Not started again before this time (milliseconds since the epoch). */
  retryAt: v.number(),
  /** `finishedAt` of the last death that was recorded. */
  diedAt: v.nullable(v.string()),
  /** Why the last start failed, while it does. */
  error: v.nullable(v.string()),
});
export type Slot = v.InferOutput<typeof Slot>;
export const Slots = v.record(v.string(), Slot);
export type Slots = v.InferOutput<typeof Slots>;

/** The slot of a container. */
export const slotKey = (revision: string, replica: number): string => `${revision}/${replica}`;

const Replica = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(9_999));

/** One step towards the desired state. Each is idempotent. */
export const Action = v.variant("kind", [
  /** Create and start the container of a slot of the desired revision. */
  v.strictObject({ kind: v.literal("create"), replica: Replica }),
  /** Start a container that is there but does not run. */
  v.strictObject({ kind: v.literal("start"), containerId: v.string(), replica: Replica, restart: v.boolean() }),
  /** Note that a container has died, and how long its slot has to wait. */
  v.strictObject({
    kind: v.literal("record-death"),
    containerId: v.string(),
    replica: Replica,
    exitCode: v.number(),
    oomKilled: v.boolean(),
    at: v.string(),
    slot: Slot,
  }),
  v.strictObject({
    kind: v.literal("remove"),
    containerId: v.string(),
    revision: v.string(),
    replica: Replica,
    running: v.boolean(),
    reason: v.picklist(["excess", "outdated", "unusable"]),
  }),
]);
export type Action = v.InferOutput<typeof Action>;

/** A start or creation that a slot is waiting for. */
export type Want = Extract<Action, { kind: "create" | "start" }>;

/** What a service should be. A removed service wants no replicas. */
export interface Desired {
  readonly service: string;
  readonly revision: string;
  readonly replicas: number;
  /** `stop-first` where old and new cannot run side by side: they want the same port of the machine. */
  readonly order: "start-first" | "stop-first";
}

export const ApplyActions = v.strictObject({
  revision: v.string(),
  /** `null`: nothing is desired, so nothing can be created. */
  spec: v.nullable(ServiceSpec),
  actions: v.pipe(v.array(Action), v.maxLength(1_000)),
});
export type ApplyActions = v.InferOutput<typeof ApplyActions>;

export const ActionsApplied = v.strictObject({
  done: v.number(),
  failed: v.number(),
  /** Why the engine could not be reached, or `null`. */
  unavailable: v.nullable(v.string()),
});
export type ActionsApplied = v.InferOutput<typeof ActionsApplied>;

/** `container.started.v1` */
export const ContainerStarted = v.strictObject({
  service: v.string(),
  revision: v.string(),
  replica: v.number(),
  containerId: v.string(),
  restarts: v.number(),
});
/** `container.died.v1`. `reason`: `exited` by itself or killed from outside, `oom`, or `removed` by the scaler. */
export const ContainerDied = v.strictObject({
  service: v.string(),
  revision: v.string(),
  replica: v.number(),
  containerId: v.string(),
  reason: v.picklist(["exited", "oom", "removed"]),
  exitCode: v.nullable(v.number()),
});
