import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from "@temporalio/client";
import type { Workflow } from "@temporalio/common";
import { Job } from "#actors/orchestrator/job/job.ts";
import { type EndRun, jobService, type JobRun } from "#actors/orchestrator/job/messages.ts";
import { make, type Making } from "#actors/orchestrator/scaler/make.ts";
import type { JobPolicy, ServiceSpec } from "#actors/orchestrator/service/messages.ts";
import { pause } from "#infra/base/pause.ts";
import type { ContainerRecord } from "#infra/engines/container.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { EngineError } from "#infra/engines/errors.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Troupe } from "#runtime";
import { asFailure } from "../as-failure.ts";
import type { OwnHost } from "../own-host.ts";
import type { RunLook, StartedRun } from "./messages.ts";

type ScheduleStart = ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

/** What the activities work with. */
export interface JobDeps {
  readonly troupe: Troupe;
  readonly temporal: Temporal;
  /** The host of this process; `undefined` until its engine has answered once. */
  readonly own: () => OwnHost | undefined;
  /** The id of a job's Temporal Schedule, and of the workflow that each of its runs is. */
  readonly idOf: (workflowId: string) => string;
  readonly taskQueue: string;
  readonly secret: Making["secret"];
  readonly bindObjection: Making["bindObjection"];
}

/** One look at a container lasts at most so long: it tells of the end at once, and asks nobody to wait for ever. */
const LOOK_MS = 20_000;
const LOOK_EVERY_MS = 100;
/** What was to run while nobody could is not made up for. */
const CATCH_UP = "1m";

/** The activities of `runJob` and `keepSchedule`, for the task queues of the orchestrator and of its hosts. */
export function createJobActivities(deps: JobDeps) {
  const { troupe, temporal, own } = deps;
  const job = (name: string) => troupe.ref(Job, name);

  async function containerOf(engine: Engine, name: string, number: number): Promise<ContainerRecord | undefined> {
    return (await engine.list(jobService(name))).find(({ replica }) => replica === number);
  }

  return {
    /** Has the job decide whether the run may begin, on the host of this process. `null`: it may not. */
    async beginRun(name: string, workflowId: string, trigger: JobRun["trigger"]): Promise<StartedRun | null> {
      const mine = own();
      if (mine === undefined) throw new EngineError("unavailable", "No engine has answered here yet");
      const begun = await asFailure(job(name).begin({ workflowId, trigger, host: mine.host }));
      if (begun.kind === "skip") return null;
      const { kind: _kind, ...run } = begun;
      return { ...run, host: mine.host };
    },

    /** Makes and starts the run's container where that has not happened, and waits a while for its end. */
    async lookAtRun(name: string, run: StartedRun): Promise<RunLook> {
      const mine = own();
      if (mine?.host !== run.host) throw new EngineError("unavailable", `This process does not drive ${run.host}`);
      const { engine } = mine;
      const until = performance.now() + LOOK_MS;
      let record = await containerOf(engine, name, run.number);
      if (record === undefined) {
        const made = await begin(mine, name, run);
        if (made !== undefined) return made;
      } else if (record.state === "created") await engine.start(record.id);
      for (;;) {
        record = await containerOf(engine, name, run.number);
        if (record === undefined) return { kind: "lost", why: "its container was removed by somebody else" };
        if (record.stuck !== null) return { kind: "coming", why: record.stuck };
        if (record.state === "exited" || record.state === "dead")
          return { kind: "ended", exitCode: record.exitCode, oomKilled: record.oomKilled };
        if (performance.now() >= until) return { kind: "running" };
        await pause(LOOK_EVERY_MS);
      }
    },

    /** Ends and removes the run's container. */
    async removeRun(name: string, { host, number, graceMs }: StartedRun): Promise<void> {
      const mine = own();
      if (mine?.host !== host) throw new EngineError("unavailable", `This process does not drive ${host}`);
      const record = await containerOf(mine.engine, name, number);
      if (record !== undefined) await mine.engine.remove(record.id, graceMs);
    },

    /** Tells the job how a run ended. */
    async endRun(name: string, end: EndRun): Promise<void> {
      await asFailure(job(name).end(end));
    },

    /** Makes the Temporal Schedule of a job what it should be; of one that is removed, ends it with its runs. */
    async syncSchedule(name: string): Promise<void> {
      const desired = await asFailure(job(name).desired());
      const scheduleId = deps.idOf(`job/${name}`);
      const handle = temporal.client.schedule.getHandle(scheduleId);
      if (desired.removed || desired.spec === null || desired.job === null) {
        await temporal.call(() => handle.delete()).catch(unless(ScheduleNotFoundError));
        for (const workflowId of desired.running) {
          const run = temporal.client.workflow.getHandle(workflowId);
          await temporal.call(() => run.cancel()).catch(unless(WorkflowNotFoundError));
        }
        return await asFailure(job(name).forget());
      }
      const options = scheduleOf(name, scheduleId, desired.job, desired.paused);
      await temporal.call(async () => {
        try {
          await temporal.client.schedule.create(options);
        } catch (error) {
          if (!(error instanceof ScheduleAlreadyRunning)) throw error;
          await handle.update(() => ({ ...options, state: { paused: options.state?.paused ?? false } }));
        }
      });
      if (desired.job.cron === null && !desired.paused) await runRevision(name, desired.revision);
    },
  };

  /** The container of a run, made and started. */
  async function begin(
    mine: NonNullable<ReturnType<JobDeps["own"]>>,
    name: string,
    { number, revision }: StartedRun,
  ): Promise<RunLook | undefined> {
    const desired = await asFailure(job(name).desired());
    if (desired.spec === null) return { kind: "lost", why: "the job is not there any more" };
    if (mine.engine.driver === "kubernetes")
      return { kind: "lost", why: "a Kubernetes host keeps containers running: jobs need a Docker or process host" };
    const { secret, bindObjection } = deps;
    const making = {
      engine: mine.engine,
      images: mine.images,
      room: mine.room,
      secret,
      bindObjection,
      fence: 0,
      fixImage: async () => undefined,
    };
    try {
      const made = await make(
        making,
        jobService(name),
        { revision, replica: number },
        desired.spec as ServiceSpec,
        null,
      );
      if (made.kind === "not")
        return made.retryInMs === null ? { kind: "lost", why: made.message } : { kind: "coming", why: made.message };
      await mine.engine.start(made.id);
      return undefined;
    } catch (error) {
      if (error instanceof EngineError && !error.retryable) return { kind: "lost", why: error.message };
      throw error;
    }
  }

  /** A job without times runs once for each revision: its workflow's id says so. */
  async function runRevision(name: string, revision: string): Promise<void> {
    const workflowId = deps.idOf(`run-job/${name}/${revision}`);
    await temporal
      .call(() =>
        temporal.client.workflow.start("runJob", {
          workflowId,
          taskQueue: deps.taskQueue,
          args: [{ name, trigger: "revision" }],
          workflowIdReusePolicy: "REJECT_DUPLICATE",
        }),
      )
      .catch(unless(WorkflowExecutionAlreadyStartedError));
  }

  function scheduleOf(name: string, scheduleId: string, { cron, zone }: JobPolicy, paused: boolean): ScheduleStart {
    return {
      scheduleId,
      spec: cron === null ? {} : { cronExpressions: [cron], timezone: zone },
      // Who may run beside whom the job decides, for runs that were asked for by hand as well.
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: CATCH_UP },
      state: { paused: paused || cron === null },
      action: {
        type: "startWorkflow",
        workflowType: "runJob",
        workflowId: deps.idOf(`run-job/${name}/at`),
        taskQueue: deps.taskQueue,
        args: [{ name, trigger: "schedule" }],
      },
    };
  }
}

/** What the workflows know of the activities. */
export type JobActivities = ReturnType<typeof createJobActivities>;

function unless(expected: new (...args: never[]) => Error): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof expected)) throw error;
  };
}
