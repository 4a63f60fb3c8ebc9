import * as v from "valibot";
import { actor } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { JobPolicy, ServiceName, ServiceSpec } from "../service/messages.ts";
import { revisionOf } from "../service/service.ts";
import {
  BeginRun,
  ConfigureJob,
  EndRun,
  JobDesired,
  JobRun,
  type JobView,
  JobView as JobViewSchema,
  RunBegun,
} from "./messages.ts";

const State = v.object({
  spec: v.nullable(ServiceSpec),
  job: v.nullable(JobPolicy),
  graceMs: v.number(),
  configRevision: v.number(),
  paused: v.boolean(),
  removed: v.boolean(),
  /** How many runs there have been. */
  count: v.number(),
  /** Oldest first. */
  runs: v.array(JobRun),
});
type State = v.InferOutput<typeof State>;

/** Replica numbers of containers are below this. */
const MAX_NUMBER = 10_000;
const MAX_UNDER_WAY = 50;

/** The start of the workflow that brings a job's Temporal Schedule in line with it. */
function keepSchedule(name: string) {
  return {
    type: "keepSchedule",
    id: workflowIds.keepSchedule(name),
    taskQueue: TASK_QUEUES.orchestrator,
    args: [{ name }],
    signal: { name: "changed" },
  };
}

/**
 * `job/<name>`: a container that runs to its end, by a schedule or once. It holds what is to run and what became of the
 * runs; the times are a Temporal Schedule's, each run is a workflow (`runJob`), and who may run beside whom is decided here.
 */
export const Job = actor("job", {
  key: ServiceName,
  state: State,
  initial: (): State => ({
    spec: null,
    job: null,
    graceMs: 10_000,
    configRevision: 0,
    paused: false,
    removed: false,
    count: 0,
    runs: [],
  }),
  messages: ({ command, query }) => ({
    /** Sets what is to run and when. An older configuration than the one in force is passed over; the same one changes nothing. */
    configure: command({ in: ConfigureJob }, (c, { configRevision, ...asked }) => {
      if (configRevision < c.state.configRevision) return;
      const { spec, job, graceMs, removed } = c.state;
      const same = !removed && Bun.deepEquals({ spec, job, graceMs }, asked, true);
      if (same && configRevision === c.state.configRevision) return;
      c.state = { ...c.state, ...asked, configRevision, removed: false };
      if (!same) c.workflow.signalWithStart(keepSchedule(c.key));
    }),

    /** Ends the job: its schedule goes, and the runs under way are ended. */
    remove: command({ in: v.strictObject({ configRevision: v.number() }) }, (c, { configRevision }) => {
      if (c.state.spec === null || configRevision < c.state.configRevision) return;
      c.state = { ...c.state, removed: true, configRevision };
      c.workflow.signalWithStart(keepSchedule(c.key));
    }),

    /** Its schedule is gone, and so is all that is known of it. */
    forget: command({}, (c) => {
      if (c.state.removed) c.destroy();
    }),

    pause: command({ in: v.strictObject({ paused: v.boolean() }) }, (c, { paused }) => {
      if (c.state.spec === null || c.state.removed) return c.refuse("unknown_job");
      if (c.state.paused === paused) return;
      c.state = { ...c.state, paused };
      c.workflow.signalWithStart(keepSchedule(c.key));
    }),

    /** Runs it now, whatever its schedule says. */
    run: command({ out: v.strictObject({ workflowId: v.string() }) }, (c) => {
      const { spec, job, removed, runs } = c.state;
      if (spec === null || job === null || removed) return c.refuse("unknown_job");
      c.require(job.concurrency !== "forbid" || !runs.some((one) => one.endedAt === null), "job_running");
      const workflowId = workflowIds.runJob(c.key, `hand-${c.now}`);
      const args = [{ name: c.key, trigger: "hand" }];
      c.workflow.start({ type: "runJob", id: workflowId, taskQueue: TASK_QUEUES.orchestrator, args });
      return { workflowId };
    }),

    /** What its schedule should be. */
    desired: query({ out: JobDesired }, ({ state }) => {
      const { spec, job, graceMs, paused, removed, runs } = state;
      const running = runs.filter((one) => one.endedAt === null).map(({ workflowId }) => workflowId);
      return { spec, job, revision: spec === null ? "" : revisionOf(spec, 0), graceMs, paused, removed, running };
    }),

    /** A run begins, unless another one keeps it from beginning. The same workflow gets the same answer. */
    begin: command({ in: BeginRun, out: RunBegun }, (c, { workflowId, trigger, host }) => {
      const { spec, job, graceMs, removed } = c.state;
      if (spec === null || job === null || removed) return { kind: "skip" } as const;
      const underWay = c.state.runs.filter((one) => one.endedAt === null && one.workflowId !== workflowId);
      const known = c.state.runs.find((one) => one.workflowId === workflowId);
      const startedAt = new Date(c.now).toISOString();
      const run = {
        number: c.state.count % MAX_NUMBER,
        workflowId,
        trigger,
        revision: revisionOf(spec, 0),
        host,
        startedAt,
        endedAt: null,
        outcome: null,
        exitCode: null,
        message: "",
      };
      if (
        known === undefined &&
        underWay.length > 0 &&
        (job.concurrency === "forbid" || underWay.length >= MAX_UNDER_WAY)
      ) {
        const message = `${underWay.length} runs were under way`;
        remember(c, { ...run, endedAt: startedAt, outcome: "skipped", message });
        return { kind: "skip" } as const;
      }
      if (known?.outcome === "skipped") return { kind: "skip" } as const;
      if (known === undefined) {
        if (job.concurrency === "replace") giveWay(c, run.number);
        remember(c, run);
      }
      const { number, revision } = known ?? run;
      const replaces = job.concurrency === "replace" ? underWay.map((one) => one.workflowId) : [];
      return { kind: "go", number, revision, graceMs, deadlineMs: job.deadlineMs, replaces } as const;
    }),

    /** A run has ended. That another one took its place stands. */
    end: command({ in: EndRun }, (c, { number, outcome, exitCode, message }) => {
      const endedAt = new Date(c.now).toISOString();
      const runs = c.state.runs.map((one) =>
        one.number === number && one.endedAt === null
          ? { ...one, endedAt, exitCode, ...(one.outcome === null ? { outcome, message } : {}) }
          : one,
      );
      c.state = { ...c.state, runs: bounded(runs, c.state.job?.history ?? 1) };
    }),

    /** `null`: there is no such job. */
    get: query({ out: v.nullable(JobViewSchema) }, ({ key, state }) => jobView(key, state)),
  }),
});

/** A job as the outside sees it; `null` when there is none. Also made from a listed state. */
export function jobView(name: string, { spec, job, paused, removed, runs }: State): JobView | null {
  if (spec === null || job === null || removed) return null;
  const last = runs.findLast((one) => one.outcome !== null && one.outcome !== "skipped");
  const running = runs.some((one) => one.endedAt === null);
  const good = last === undefined || last.outcome === "succeeded" || last.outcome === "replaced";
  const conditions: JobView["conditions"] = [];
  if (!good) conditions.push({ type: "run_failed", status: "True", message: `Run ${last.number}: ${last.message}` });
  if (paused) conditions.push({ type: "paused", status: "True", message: "Its schedule is paused: resume to go on" });
  return {
    name,
    image: spec.image,
    revision: revisionOf(spec, 0),
    schedule: job,
    paused,
    status: running ? "running" : good ? "waiting" : "failed",
    conditions,
    runs: runs.toReversed(),
  };
}

function giveWay(c: { state: State }, number: number): void {
  const message = `run ${number} took its place`;
  const runs = c.state.runs.map((one) =>
    one.endedAt === null ? { ...one, outcome: "replaced" as const, message } : one,
  );
  c.state = { ...c.state, runs };
}

function remember(c: { state: State }, run: JobRun): void {
  const runs = bounded([...c.state.runs, run], c.state.job?.history ?? 1);
  c.state = { ...c.state, runs, count: c.state.count + 1 };
}

/** Those under way, and the newest of the ended ones. */
function bounded(runs: readonly JobRun[], history: number): JobRun[] {
  let over = runs.filter((one) => one.endedAt !== null).length - history;
  return runs.filter((one) => one.endedAt === null || over-- <= 0);
}
