import * as v from "valibot";

/** Which services may exist. Becomes part of container names and workflow ids. */
export const SERVICE_NAME = /^[a-z][a-z0-9-]{0,62}$/;
export const ServiceName = v.pipe(
  v.string(),
  v.regex(SERVICE_NAME, "must be lower case, digits and hyphens, at most 63"),
);

export const MAX_REPLICAS = 100;
export const Replicas = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_REPLICAS));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

/** What a container of the service is made of. Another spec is another revision; the number of replicas is not part of it. */
export const ServiceSpec = v.strictObject({
  image: v.string(),
  command: v.array(v.string()),
  env: v.record(v.string(), v.string()),
  ports: v.array(v.strictObject({ container: Port, host: v.nullable(Port) })),
  resources: v.strictObject({ memoryBytes: v.number(), cpus: v.number(), pids: v.number() }),
});
export type ServiceSpec = v.InferOutput<typeof ServiceSpec>;

/** A service as the configuration asks for it. */
export const ServiceConfig = v.strictObject({ spec: ServiceSpec, replicas: Replicas });
export type ServiceConfig = v.InferOutput<typeof ServiceConfig>;

export const ServiceStatus = v.picklist(["converged", "progressing", "degraded"]);
export type ServiceStatus = v.InferOutput<typeof ServiceStatus>;

/** Something that keeps a service from its desired state, in words for its operator. */
export const Condition = v.strictObject({
  type: v.picklist(["crash_looping", "start_failed", "rolling_out", "docker_unavailable"]),
  message: v.string(),
});
export type Condition = v.InferOutput<typeof Condition>;

/** A container of the service, as last seen. */
export const ObservedReplica = v.strictObject({
  containerId: v.string(),
  replica: v.number(),
  revision: v.string(),
  state: v.string(),
  healthy: v.boolean(),
  /** Ports on the machine, in order of the container's ports. */
  hostPorts: v.array(v.number()),
  image: v.string(),
  startedAt: v.nullable(v.string()),
  restarts: v.number(),
});
export type ObservedReplica = v.InferOutput<typeof ObservedReplica>;

/** What the reconcile loop works towards. `spec: null`: nothing is desired. */
export const DesiredService = v.strictObject({
  /** Raised with every change of the desired state. */
  generation: v.number(),
  revision: v.string(),
  replicas: Replicas,
  spec: v.nullable(ServiceSpec),
  removed: v.boolean(),
});
export type DesiredService = v.InferOutput<typeof DesiredService>;

export const ConfigureService = v.strictObject({ ...ServiceConfig.entries, configRevision: v.number() });
export const RemoveService = v.strictObject({ configRevision: v.number() });

/** What the reconcile loop saw and what it means. */
export const ReportService = v.strictObject({
  /** The generation the loop worked towards. */
  generation: v.number(),
  status: ServiceStatus,
  conditions: v.array(Condition),
  /** `null`: the engine could not be asked, what was seen last stands. */
  observed: v.nullable(v.array(ObservedReplica)),
});
export type ReportService = v.InferInput<typeof ReportService>;

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
  /** `DONE`: the reconcile loop has taken up the last change. */
  outbox: v.picklist(["PENDING", "DONE"]),
  removed: v.boolean(),
});
export type ServiceView = v.InferOutput<typeof ServiceView>;

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
