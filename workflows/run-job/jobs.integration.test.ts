import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Job } from "#actors/orchestrator/job/job.ts";
import { jobService, type JobRun } from "#actors/orchestrator/job/messages.ts";
import { sweepJobs } from "#actors/orchestrator/job/sweep.ts";
import type { JobPolicy, ServiceConfig } from "#actors/orchestrator/service/messages.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import { echo } from "../reconcile-service/testing/services.ts";
import { eventually, startTestSystem, type TestSystem } from "../reconcile-service/testing/system.ts";

setDefaultTimeout(120_000);

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
  await ensureEchoImage(system.engine);
}, 240_000);
afterAll(() => system?.[Symbol.asyncDispose](), 60_000);

function job(command: string, change: Partial<JobPolicy> = {}, env: Record<string, string> = {}): ServiceConfig {
  const policy = {
    cron: null,
    zone: "UTC",
    concurrency: "forbid",
    deadlineMs: 60_000,
    history: 10,
    ...change,
  } as const;
  return { ...echo(1, { command: [command], ports: [], env }), stop: { graceMs: 1_000 }, job: policy };
}

const runsOf = async (name: string): Promise<readonly JobRun[]> => (await system.job(name))?.runs ?? [];
const runs = (name: string, what: string, fits: (runs: readonly JobRun[]) => boolean): Promise<readonly JobRun[]> =>
  eventually(`${name}: ${what}`, async () => {
    const found = await runsOf(name);
    return fits(found) && found;
  });
const outcomes = (found: readonly JobRun[]): (string | null)[] => found.map(({ outcome }) => outcome);
const containers = async (name: string): Promise<number> => (await system.engine.list(jobService(name))).length;
/** As the clock does it. */
const trigger = async (name: string): Promise<void> => {
  await eventually("its schedule is there", async () => {
    await system.temporal.client.schedule.getHandle(system.scheduleId(name)).trigger();
    return true;
  });
};

test("a job without times runs once for each revision, to its end, and leaves no container", async () => {
  await system.apply({ migrate: job("exit") });
  const [first] = await runs("migrate", "it has run", (found) => found[0]?.endedAt !== null && found.length > 0);
  expect(first).toMatchObject({ outcome: "succeeded", exitCode: 0, trigger: "revision", number: 0 });
  await system.apply({ migrate: job("exit", { history: 5 }) });
  await eventually("its schedule has changed", async () => (await system.job("migrate"))?.schedule.history === 5);
  await system.apply({ migrate: job("exit", { history: 5 }, { VERSION: "2" }) });
  const found = await runs("migrate", "the new revision has run", (all) => all.length > 1 && all[0]?.endedAt !== null);
  expect(outcomes(found)).toEqual(["succeeded", "succeeded"]);
  expect(found[0]?.revision).not.toBe(first?.revision);
  expect(await containers("migrate")).toBe(0);
});

test("a run that ends badly is told with its exit code, until one ends well", async () => {
  await system.apply({ bad: job("crash") });
  await runs("bad", "it has failed", (found) => found[0]?.outcome === "failed");
  const view = await system.job("bad");
  expect(view?.status).toBe("failed");
  expect(view?.conditions).toEqual([
    { type: "run_failed", status: "True", message: "Run 0: it ended with exit code 1" },
  ]);
  await system.apply({ bad: job("exit") });
  await runs("bad", "it is well again", (found) => found[0]?.outcome === "succeeded");
  expect((await system.job("bad"))?.status).toBe("waiting");
});

test("a schedule is Temporal's, in its zone; it starts runs, and forbids a second one", async () => {
  await system.apply({ nightly: job("serve", { cron: "0 3 * * *", zone: "Europe/Berlin" }) });
  await trigger("nightly");
  const described = await system.temporal.client.schedule.getHandle(system.scheduleId("nightly")).describe();
  expect(described.spec.timezone).toBe("Europe/Berlin");
  expect(described.state.paused).toBe(false);
  expect(described.info.nextActionTimes.length).toBeGreaterThan(0);
  await eventually("it runs", async () => (await system.engine.list(jobService("nightly")))[0]?.state === "running");
  await eventually("another one is left out", async () => {
    // Of two in one second Temporal makes one.
    await trigger("nightly");
    return (await runsOf("nightly")).some(({ outcome }) => outcome === "skipped");
  });
  await expect(system.troupe.ref(Job, "nightly").run()).rejects.toMatchObject({ reason: "job_running" });
  expect(outcomes(await runsOf("nightly")).filter((outcome) => outcome !== "skipped")).toEqual([null]);
  expect((await runsOf("nightly")).at(-1)?.trigger).toBe("schedule");
  expect(await containers("nightly")).toBe(1);
});

test("a run that takes longer than its deadline is ended", async () => {
  await system.apply({ late: job("serve", { deadlineMs: 1_000 }) });
  const [run] = await runs("late", "it has ended", (found) => found[0]?.outcome === "timed_out");
  expect(run?.message).toBe("it took longer than 1 s");
  expect(await containers("late")).toBe(0);
});

test("with replace the later run takes the place of the earlier one; a removed job takes schedule and run with it", async () => {
  await system.apply({ sync: job("serve", { cron: "0 3 * * *", concurrency: "replace" }) });
  await trigger("sync");
  await eventually("it runs", async () => (await containers("sync")) === 1);
  await system.troupe.ref(Job, "sync").run();
  const found = await runs("sync", "the first made way", (all) => all.length === 2 && all[1]?.endedAt !== null);
  expect(outcomes(found)).toEqual([null, "replaced"]);
  expect(found[0]?.trigger).toBe("hand");
  await eventually("the second one alone runs", async () => {
    const seen = await system.engine.list(jobService("sync"));
    return seen.length === 1 && seen[0]?.state === "running" && seen[0].replica === 1;
  });
  await system.apply({});
  await eventually(
    "nothing is left",
    async () => (await containers("sync")) === 0 && (await runsOf("sync")).length === 0,
  );
  const handle = system.temporal.client.schedule.getHandle(system.scheduleId("sync"));
  await eventually("its schedule is gone", () =>
    handle.describe().then(
      () => false,
      () => true,
    ),
  );
});

test("a run whose workflow was terminated by hand is found by the sweep, which frees the job and removes its container", async () => {
  await system.apply({ stuck: job("serve", { cron: "0 3 * * *" }) });
  await trigger("stuck");
  await eventually("it runs", async () => (await containers("stuck")) === 1);
  const { troupe, temporal, engine } = system;
  expect(await sweepJobs({ troupe, temporal, engine, olderThanMs: 0 })).toEqual([]);
  expect(await containers("stuck")).toBe(1);
  await temporal.client.workflow.getHandle((await runsOf("stuck"))[0]?.workflowId ?? "").terminate();
  await expect(system.troupe.ref(Job, "stuck").run()).rejects.toMatchObject({ reason: "job_running" });
  expect(await sweepJobs({ troupe, temporal, engine, olderThanMs: 0 })).toEqual(["stuck"]);
  expect(await containers("stuck")).toBe(0);
  expect(outcomes(await runsOf("stuck"))).toEqual(["lost"]);
  await system.troupe.ref(Job, "stuck").run();
  await eventually("it runs again", async () => (await containers("stuck")) === 1);
});

test("pause stops the times of a job, and resume begins them again", async () => {
  await system.apply({ later: job("exit", { cron: "0 3 * * *" }) });
  const handle = system.temporal.client.schedule.getHandle(system.scheduleId("later"));
  for (const paused of [true, false]) {
    await system.troupe.ref(Job, "later").pause({ paused });
    await eventually(`paused: ${paused}`, async () => (await handle.describe()).state.paused === paused);
  }
});

test("a container of a job that somebody removes is said to be lost; a service may become a job, and a job a service", async () => {
  await system.apply({ both: job("serve") });
  const record = await eventually("it runs", async () => {
    const [seen] = await system.engine.list(jobService("both"));
    return seen?.state === "running" && seen;
  });
  await system.engine.remove(record.id, 0);
  await runs("both", "it is lost", (found) => found[0]?.outcome === "lost");
  await system.apply({ both: echo(1) });
  await system.converged("both", 1);
  expect(await system.job("both")).toBeNull();
  await system.apply({ both: job("exit", {}, { AGAIN: "1" }) });
  await runs("both", "it has run", (found) => found[0]?.outcome === "succeeded");
  await eventually("the service is gone", async () => (await system.view("both")) === null);
});
