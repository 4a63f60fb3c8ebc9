import * as v from "valibot";
import { ConfigApplied, RevisionSummary, ServiceChange } from "#actors/orchestrator/config/messages.ts";
import { Condition, ObservedReplica, ServiceStatus } from "#actors/orchestrator/service/messages.ts";
import { pageOf } from "#infra/http/listing.ts";

/** The answers of the orchestrator's routes, as OpenAPI shows them. */
export const AppliedAnswer = ConfigApplied;

export const ConfigAnswer = v.object({
  revision: v.number(),
  at: v.nullable(v.string()),
  services: v.record(v.string(), v.unknown()),
  gateway: v.optional(v.array(v.record(v.string(), v.unknown()))),
});

export const RevisionsAnswer = pageOf(RevisionSummary);

const ServiceDiff = v.object({
  name: v.string(),
  change: v.picklist(["create", "update", "remove"]),
  fields: v.array(v.object({ path: v.string(), before: v.unknown(), after: v.unknown() })),
});

export const DiffAnswer = v.object({
  revision: v.number(),
  before: v.nullable(v.number()),
  services: v.array(ServiceDiff),
});

export const PlanAnswer = v.object({
  ...ConfigApplied.entries,
  before: v.pipe(
    v.number(),
    v.description("The revision that it changes: for `If-Match`, so that what is applied is what was planned"),
  ),
  diff: v.pipe(v.array(ServiceDiff), v.description("Each place that becomes another, as the file would be written")),
});

export const ServiceAnswer = v.object({
  name: v.string(),
  desired: v.object({ replicas: v.number(), image: v.string(), revision: v.string() }),
  observed: v.array(ObservedReplica),
  status: ServiceStatus,
  conditions: v.array(Condition),
  outbox: v.picklist(["PENDING", "DONE"]),
  paused: v.boolean(),
});

export const ServicesAnswer = pageOf(ServiceAnswer);

export const ServiceChanged = v.object({ ...ServiceChange.entries, revision: v.number() });

/** The request body of `POST /config`. */
export const configBody = {
  required: true,
  content: {
    "application/yaml": {
      schema: { type: "string" },
      example:
        'services:\n  web:\n    image: troupe/echo:1\n    replicas: 3\n    command: ["serve"]\n    env: { GREETING: hello }\n    ports: [8080]\n',
    },
  },
} as const;
