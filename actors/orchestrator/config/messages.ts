import * as v from "valibot";
import { Replicas, ServiceConfig, ServiceName } from "../service/messages.ts";

/** The services of a whole configuration file, by name. */
export const ConfigServices = v.record(ServiceName, ServiceConfig);
export type ConfigServices = v.InferOutput<typeof ConfigServices>;

export const Change = v.picklist(["create", "update", "unchanged", "remove"]);
export type Change = v.InferOutput<typeof Change>;

export const ServiceChange = v.strictObject({ name: v.string(), change: Change, workflowId: v.string() });
export type ServiceChange = v.InferOutput<typeof ServiceChange>;

/** The reply to every change of the configuration. `revision` grows only where something changed. */
export const ConfigApplied = v.strictObject({ revision: v.number(), services: v.array(ServiceChange) });
export type ConfigApplied = v.InferOutput<typeof ConfigApplied>;

/** Requests below a path go to a service, or are bound where they go to us. */
export const GatewayRule = v.strictObject({
  path: v.string(),
  /** `null`: the rule is about routes of our own. */
  service: v.nullable(ServiceName),
  /** The service gets the path without the rule's. */
  stripPrefix: v.boolean(),
  /** Origins whose pages may read answers. */
  origins: v.array(v.string()),
  /** Requests a second of one address; `null`: any. */
  rateLimit: v.nullable(v.number()),
  /** The scope of the key that is needed; `null`: none is. */
  key: v.nullable(v.picklist(["orders", "events", "services", "admin"])),
});
export type GatewayRule = v.InferOutput<typeof GatewayRule>;
export const Gateway = v.optional(v.array(GatewayRule), []);

/** `expected`: the revision the caller has seen; another one in force refuses the change. */
const Expected = v.optional(v.nullable(v.number()), null);
export const ApplyConfig = v.strictObject({
  services: ConfigServices,
  gateway: Gateway,
  expected: Expected,
  /** Whether events of services come back over a broker. */
  echoed: v.optional(v.boolean()),
});
const RevisionNumber = v.pipe(v.number(), v.integer(), v.minValue(1));
export const RollbackConfig = v.strictObject({ revision: RevisionNumber });
export const RollbackTo = v.strictObject({ revision: RevisionNumber, expected: Expected });

/** The services of two revisions that follow each other. */
export const RevisionPair = v.strictObject({
  revision: v.number(),
  services: ConfigServices,
  gateway: Gateway,
  /** The revision before, where it is still kept. */
  before: v.nullable(v.strictObject({ revision: v.number(), services: ConfigServices })),
});
export const ScaleService = v.strictObject({ name: ServiceName, replicas: Replicas });
export const RepairServices = v.object({
  /** The services that there are. */
  services: v.array(v.string()),
  /** Whether events of services come back over a broker, as the process that sweeps knows it. */
  echoed: v.optional(v.boolean()),
});
export const DropService = v.strictObject({ name: ServiceName });

/** What brought a revision about. */
export const Cause = v.picklist(["apply", "rollback", "scale", "remove"]);
export type Cause = v.InferOutput<typeof Cause>;

/** A revision without its content. */
export const RevisionSummary = v.strictObject({
  revision: v.number(),
  /** RFC 3339 */
  at: v.string(),
  cause: Cause,
  services: v.array(v.string()),
  changed: v.array(v.strictObject({ name: v.string(), change: Change })),
});
export type RevisionSummary = v.InferOutput<typeof RevisionSummary>;

/** A revision with its content. Revision 0 is the empty configuration before the first file. */
export const ConfigView = v.strictObject({
  revision: v.number(),
  at: v.nullable(v.string()),
  services: ConfigServices,
  gateway: Gateway,
});
export type ConfigView = v.InferOutput<typeof ConfigView>;
