import * as v from "valibot";

/** Which lines of a service's log. */
export interface LogRequest {
  /** RFC 3339. */
  readonly since?: string;
  /** At most so many of the newest. */
  readonly tail?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** A line of a service's log. */
export const ServiceLine = v.object({
  at: v.string(),
  containerId: v.string(),
  replica: v.number(),
  revision: v.string(),
  stream: v.picklist(["stdout", "stderr"]),
  level: v.picklist(["debug", "info", "warn", "error"]),
  text: v.string(),
});
export type ServiceLine = v.InferOutput<typeof ServiceLine>;

/** What a replica takes now. */
export const ReplicaStats = v.object({
  containerId: v.string(),
  replica: v.number(),
  /** Of one processor: 100 is one core. */
  cpuPercent: v.number(),
  memoryBytes: v.number(),
  memoryLimitBytes: v.number(),
  pids: v.number(),
  receivedBytes: v.number(),
  sentBytes: v.number(),
});
export type ReplicaStats = v.InferOutput<typeof ReplicaStats>;
