import * as v from "valibot";
import { DEFAULT_UPDATE, UpdatePolicy } from "../scaler/messages.ts";

/** Which services may exist. Becomes part of container names and workflow ids. */
export const SERVICE_NAME = /^[a-z][a-z0-9-]{0,62}$/;
export const ServiceName = v.pipe(
  v.string(),
  v.regex(SERVICE_NAME, "must be lower case, digits and hyphens, at most 63"),
);

export const MAX_REPLICAS = 100;
export const Replicas = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_REPLICAS));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const Name = v.pipe(v.string(), v.regex(SERVICE_NAME));

/** Something of the machine in the container. */
export const VolumeMount = v.variant("kind", [
  v.strictObject({ kind: v.literal("volume"), name: Name, path: v.string(), readOnly: v.boolean() }),
  v.strictObject({ kind: v.literal("bind"), source: v.string(), path: v.string(), readOnly: v.boolean() }),
]);

const Timing = { intervalMs: v.number(), timeoutMs: v.number(), retries: v.number(), startPeriodMs: v.number() };
/** How to find out whether a container does its work. */
export const HealthCheck = v.variant("kind", [
  v.strictObject({ kind: v.literal("http"), path: v.string(), port: Port, ...Timing }),
  v.strictObject({ kind: v.literal("tcp"), port: Port, ...Timing }),
  v.strictObject({ kind: v.literal("exec"), command: v.array(v.string()), ...Timing }),
]);
export type HealthCheck = v.InferOutput<typeof HealthCheck>;

/** What a container of the service is made of. Another spec is another revision; the number of replicas is not part of it. */
export const ServiceSpec = v.strictObject({
  image: v.string(),
  command: v.array(v.string()),
  /** A text, or the name of a secret. */
  env: v.record(v.string(), v.union([v.string(), v.strictObject({ secret: Name })])),
  ports: v.array(v.strictObject({ container: Port, host: v.nullable(Port) })),
  resources: v.strictObject({ memoryBytes: v.number(), cpus: v.number(), pids: v.number() }),
  volumes: v.optional(v.array(VolumeMount), []),
  networks: v.optional(v.array(Name), []),
  health: v.optional(v.nullable(HealthCheck), null),
  /** Secrets as files below `/run/secrets`. */
  secrets: v.optional(v.array(Name)),
});
export type ServiceSpec = v.InferOutput<typeof ServiceSpec>;

/** What a service is scaled on; each says how much one replica is to carry. */
export const ScaleOn = v.strictObject({
  /** Requests under way per replica. */
  inFlight: v.optional(v.number()),
  /** Percent of one replica's processors, or of its memory. */
  cpu: v.optional(v.number()),
  memory: v.optional(v.number()),
  kafkaLag: v.optional(v.strictObject({ group: v.string(), topic: v.string(), perReplica: v.number() })),
  natsPending: v.optional(v.strictObject({ stream: v.string(), consumer: v.string(), perReplica: v.number() })),
  rabbitmqReady: v.optional(v.strictObject({ queue: v.string(), perReplica: v.number() })),
  redisPending: v.optional(v.strictObject({ stream: v.string(), group: v.string(), perReplica: v.number() })),
  temporalBacklog: v.optional(v.strictObject({ taskQueue: v.string(), perReplica: v.number() })),
  mailbox: v.optional(v.strictObject({ type: v.string(), perReplica: v.number() })),
});
export type ScaleOn = v.InferOutput<typeof ScaleOn>;

/** How the number of replicas follows the work. */
export const ScalePolicy = v.strictObject({
  min: Replicas,
  max: Replicas,
  on: ScaleOn,
  /** A higher number must be wanted for so long before it is taken; a lower one likewise. */
  upMs: v.number(),
  downMs: v.number(),
  /** Without requests for so long it is stopped altogether; `null`: never. */
  toZeroAfterMs: v.nullable(v.number()),
});
export type ScalePolicy = v.InferOutput<typeof ScalePolicy>;

/** When a job runs, and what becomes of a run that another one meets. */
export const JobPolicy = v.strictObject({
  /** Five fields, as in `0 3 * * *`; `null`: once for each revision, and whenever it is asked to. */
  cron: v.nullable(v.string()),
  /** Of the cron line, as in `Europe/Berlin`. */
  zone: v.string(),
  /** `allow`: both run; `forbid`: the later one is left out; `replace`: the earlier one is ended. */
  concurrency: v.picklist(["allow", "forbid", "replace"]),
  /** A run that takes longer is ended. */
  deadlineMs: v.number(),
  /** How many ended runs are remembered. */
  history: v.number(),
});
export type JobPolicy = v.InferOutput<typeof JobPolicy>;

/** A service as the configuration asks for it. */
export const ServiceConfig = v.strictObject({
  spec: ServiceSpec,
  replicas: Replicas,
  update: v.optional(UpdatePolicy, DEFAULT_UPDATE),
  scale: v.optional(v.nullable(ScalePolicy), null),
  dependsOn: v.optional(v.array(Name), []),
  stop: v.optional(v.strictObject({ graceMs: v.number() }), { graceMs: 10_000 }),
  /** It is a job: it runs to its end at its times, and is no service. */
  job: v.optional(JobPolicy),
});
export type ServiceConfig = v.InferOutput<typeof ServiceConfig>;

export const ServiceStatus = v.picklist(["converged", "progressing", "degraded"]);
export type ServiceStatus = v.InferOutput<typeof ServiceStatus>;

/** What can be said about a service. Its `status` tells how bad it is. */
export const ConditionType = v.picklist([
  "crash_looping",
  "unhealthy",
  "start_failed",
  "image_unavailable",
  "container_stuck",
  "remove_failed",
  "docker_unavailable",
  "changed_by_hand",
  "waiting",
  "rolling_out",
  "paused",
  "canary",
  "rolled_back",
]);

/** `trouble` keeps the service from its desired state; a `note` says what is going on. */
export const ConditionFound = v.strictObject({
  type: ConditionType,
  severity: v.picklist(["trouble", "note"]),
  /** A word, as in `exited`. */
  reason: v.string(),
  message: v.string(),
});
export type ConditionFound = v.InferOutput<typeof ConditionFound>;

/** A condition as it is shown: since when, and seen with which revision. */
export const Condition = v.strictObject({
  type: ConditionType,
  status: v.literal("True"),
  severity: v.optional(v.picklist(["trouble", "note"]), "trouble"),
  reason: v.optional(v.string(), ""),
  message: v.string(),
  lastTransitionTime: v.optional(v.nullable(v.string()), null),
  observedRevision: v.optional(v.string(), ""),
});
export type Condition = v.InferOutput<typeof Condition>;

/** A container of the service, as last seen. */
export const ObservedReplica = v.strictObject({
  containerId: v.string(),
  host: v.optional(v.string(), ""),
  replica: v.number(),
  revision: v.string(),
  state: v.string(),
  healthy: v.boolean(),
  /** Ports on the machine, in order of the container's ports. */
  hostPorts: v.array(v.number()),
  /** Where they are reached; without it on the machine itself. */
  address: v.optional(v.string()),
  image: v.string(),
  imageId: v.optional(v.string(), ""),
  startedAt: v.nullable(v.string()),
  restarts: v.number(),
});
export type ObservedReplica = v.InferOutput<typeof ObservedReplica>;

/** A container out of the rotation: since when, and how many requests each node still has with it. */
export const Draining = v.strictObject({ since: v.number(), open: v.record(v.string(), v.number()) });

/** What the reconcile loop works towards. Holds nothing secret: it stands in the history of a workflow. */
export const DesiredService = v.strictObject({
  /** Raised with every change of the desired state. */
  generation: v.number(),
  revision: v.string(),
  replicas: Replicas,
  removed: v.boolean(),
  canary: v.nullable(v.strictObject({ base: v.string(), replicas: v.number() })),
  good: v.nullable(v.string()),
  since: v.number(),
  update: UpdatePolicy,
  paused: v.boolean(),
  routed: v.boolean(),
  pinned: v.boolean(),
  dependsOn: v.array(v.string()),
  graceMs: v.number(),
  draining: v.record(v.string(), v.strictObject({ since: v.number(), open: v.number() })),
  /** A new post asks whether the tag has moved. */
  lookForImage: v.boolean(),
});
export type DesiredService = v.InferOutput<typeof DesiredService>;

/** How to make and to check the containers of one revision. For those who act, not for histories. */
export const RevisionSpec = v.strictObject({
  spec: ServiceSpec,
  /** The image of the revision on each host that has made a container of it. */
  images: v.record(v.string(), v.string()),
});

export const ConfigureService = v.strictObject({
  ...ServiceConfig.entries,
  configRevision: v.number(),
  /** Whether the events of the service come back over a broker: then it is `DONE` once that has happened. */
  echoed: v.optional(v.boolean()),
});
export const RemoveService = v.strictObject({ configRevision: v.number() });

/** What the reconcile loop saw and what it means. */
export const ReportService = v.strictObject({
  /** The generation the loop worked towards. */
  generation: v.number(),
  status: ServiceStatus,
  conditions: v.array(ConditionFound),
  /** `null`: the engine could not be asked, what was seen last stands. */
  observed: v.nullable(v.array(ObservedReplica)),
});
export type ReportService = v.InferInput<typeof ReportService>;

/** One thing that happened to a service, for those who ask what happened. */
export const ServiceEvent = v.strictObject({ at: v.string(), type: v.string(), message: v.string() });
export type ServiceEvent = v.InferOutput<typeof ServiceEvent>;

/** Why there are so many replicas: a decision with the numbers it was made on. */
export const Decision = v.strictObject({
  at: v.string(),
  from: v.number(),
  to: v.number(),
  reason: v.string(),
  metrics: v.record(v.string(), v.strictObject({ value: v.number(), target: v.number(), wants: v.number() })),
});
export type Decision = v.InferOutput<typeof Decision>;

/** Where requests for a service go. */
export const RouteTable = v.strictObject({
  revision: v.string(),
  /** The share of requests (0 to 1) that the desired revision gets while a canary is tried; `null`: all of them. */
  share: v.nullable(v.number()),
  /** It was stopped for want of work and starts with the next request. */
  asleep: v.boolean(),
  desired: v.number(),
  /** Its number follows its work: nodes tell how much it has. */
  scaled: v.boolean(),
  routed: v.boolean(),
  replicas: v.array(
    v.strictObject({
      containerId: v.string(),
      host: v.string(),
      revision: v.string(),
      port: v.number(),
      address: v.optional(v.string()),
    }),
  ),
});
export type RouteTable = v.InferOutput<typeof RouteTable>;

/** The whole of a service, for the ingress. */
export const ServiceView = v.strictObject({
  name: ServiceName,
  desired: v.strictObject({
    replicas: v.number(),
    image: v.string(),
    revision: v.string(),
    generation: v.number(),
    configRevision: v.number(),
  }),
  observed: v.array(ObservedReplica),
  status: ServiceStatus,
  conditions: v.array(Condition),
  /**
   * `DONE`: the reconcile loop has taken up the last change; where the process has Kafka, the event that it was reached
   * has come back from there as well.
   */
  outbox: v.picklist(["PENDING", "DONE"]),
  removed: v.boolean(),
  paused: v.boolean(),
});
export type ServiceView = v.InferInput<typeof ServiceView>;

/** `service.configured.v1` */
export const ServiceConfigured = v.strictObject({
  name: v.string(),
  generation: v.number(),
  revision: v.string(),
  image: v.string(),
  replicas: v.number(),
  removed: v.boolean(),
  configRevision: v.number(),
});
/** `service.reconciled.v1` */
export const ServiceReconciled = v.strictObject({
  name: v.string(),
  generation: v.number(),
  revision: v.string(),
  replicas: v.number(),
  removed: v.boolean(),
});
/** `service.degraded.v1` */
export const ServiceDegraded = v.strictObject({
  name: v.string(),
  generation: v.number(),
  revision: v.string(),
  conditions: v.array(Condition),
});

/** What the topics `services` and `services/<name>` carry, as `service.changed`. */
export interface ServiceChanged {
  readonly name: string;
  readonly status: ServiceStatus;
  readonly replicas: number;
  readonly generation: number;
  readonly removed: boolean;
}
