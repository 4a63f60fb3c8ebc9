import * as v from "valibot";
import { JobPolicy, ServiceSpec } from "../service/messages.ts";

/** Begins the service name of a job's containers: no service has such a name, so no reconcile loop looks at them. */
const JOB_PREFIX = "job.";

/** What the containers of a job are called. */
export const jobService = (name: string): string => JOB_PREFIX + name;
/** Whether a container is one of a job. */
export const isJobService = (service: string): boolean => service.startsWith(JOB_PREFIX);

/** How a run ended. `lost`: its host cannot say, or its container was removed by hand. */
export const JobOutcome = v.picklist(["succeeded", "failed", "timed_out", "replaced", "cancelled", "skipped", "lost"]);
export type JobOutcome = v.InferOutput<typeof JobOutcome>;

/** One run of a job. */
export const JobRun = v.strictObject({
  number: v.number(),
  /** Its workflow. */
  workflowId: v.string(),
  /** What began it. */
  trigger: v.picklist(["schedule", "revision", "hand"]),
  revision: v.string(),
  host: v.string(),
  startedAt: v.string(),
  /** `null`: it is under way. */
  endedAt: v.nullable(v.string()),
  outcome: v.nullable(JobOutcome),
  exitCode: v.nullable(v.number()),
  message: v.string(),
});
export type JobRun = v.InferOutput<typeof JobRun>;

export const ConfigureJob = v.strictObject({
  spec: ServiceSpec,
  job: JobPolicy,
  graceMs: v.number(),
  configRevision: v.number(),
});

/** What is to be done, for those who do it. */
export const JobDesired = v.strictObject({
  spec: v.nullable(ServiceSpec),
  job: v.nullable(JobPolicy),
  revision: v.string(),
  graceMs: v.number(),
  paused: v.boolean(),
  removed: v.boolean(),
  /** The workflows of the runs under way. */
  running: v.array(v.string()),
});
export type JobDesired = v.InferOutput<typeof JobDesired>;

/** A run asks whether it may begin. Asking again gives the same answer. */
export const BeginRun = v.strictObject({
  workflowId: v.string(),
  trigger: JobRun.entries.trigger,
  host: v.string(),
});
export const RunBegun = v.variant("kind", [
  v.strictObject({
    kind: v.literal("go"),
    number: v.number(),
    revision: v.string(),
    graceMs: v.number(),
    deadlineMs: v.number(),
    /** Workflows of runs that make way. */
    replaces: v.array(v.string()),
  }),
  v.strictObject({ kind: v.literal("skip") }),
]);
export type RunBegun = v.InferOutput<typeof RunBegun>;

export const EndRun = v.strictObject({
  number: v.number(),
  outcome: JobOutcome,
  exitCode: v.nullable(v.number()),
  message: v.string(),
});
export type EndRun = v.InferOutput<typeof EndRun>;

export const JobCondition = v.strictObject({
  type: v.picklist(["run_failed", "paused", "no_host"]),
  status: v.literal("True"),
  message: v.string(),
});

/** A job as it is shown. */
export const JobView = v.strictObject({
  name: v.string(),
  image: v.string(),
  revision: v.string(),
  schedule: JobPolicy,
  paused: v.boolean(),
  /** `failed`: the last run that ended was no success. */
  status: v.picklist(["waiting", "running", "failed"]),
  conditions: v.array(JobCondition),
  /** Those under way and the last ended ones, newest first. */
  runs: v.array(JobRun),
});
export type JobView = v.InferOutput<typeof JobView>;
