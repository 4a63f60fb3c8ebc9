import { afterEach, beforeEach, expect, test } from "bun:test";
import { createTroupe, memory, type Troupe } from "#runtime";
import type { JobPolicy } from "../service/messages.ts";
import { Job } from "./job.ts";
import type { JobView } from "./messages.ts";

let troupe: Troupe;
beforeEach(async () => {
  troupe = await createTroupe({ actors: [Job], stores: { default: memory() } });
});
afterEach(async () => await troupe.stop());

const spec = {
  image: "troupe/echo:1",
  command: [],
  env: {},
  ports: [],
  resources: { memoryBytes: 1, cpus: 1, pids: 1 },
  volumes: [],
  networks: [],
  health: null,
};
const POLICY: JobPolicy = { cron: null, zone: "UTC", concurrency: "forbid", deadlineMs: 1_000, history: 2 };
const configure = (change: Partial<JobPolicy> = {}, configRevision = 1): Promise<unknown> =>
  job().configure({ spec, job: { ...POLICY, ...change }, graceMs: 0, configRevision });
const job = () => troupe.ref(Job, "nightly");
const begin = (workflowId: string) => job().begin({ workflowId, trigger: "schedule", host: "a" });
const end = (number: number, outcome: "succeeded" | "failed" | "cancelled") =>
  job().end({ number, outcome, exitCode: null, message: outcome });
const view = async (): Promise<JobView> => (await job().get()) as JobView;

test("a run that begins twice gets the same number, and what is said of its end first stands", async () => {
  await configure();
  expect(await begin("w0")).toMatchObject({ kind: "go", number: 0 });
  expect(await begin("w0")).toMatchObject({ kind: "go", number: 0 });
  await end(0, "succeeded");
  await end(0, "failed");
  expect((await view()).runs).toHaveLength(1);
  expect((await view()).runs[0]?.outcome).toBe("succeeded");
});

test("forbid leaves out a run while one is under way, and says the same when it is asked again", async () => {
  await configure();
  await begin("w0");
  expect(await begin("w1")).toEqual({ kind: "skip" });
  await end(0, "succeeded");
  expect(await begin("w1")).toEqual({ kind: "skip" });
  expect(await begin("w2")).toMatchObject({ kind: "go", number: 2 });
});

test("allow lets runs be side by side, replace names those that make way", async () => {
  await configure({ concurrency: "allow" });
  await begin("w0");
  expect(await begin("w1")).toMatchObject({ kind: "go", replaces: [] });
  await configure({ concurrency: "replace" }, 2);
  expect(await begin("w2")).toMatchObject({ kind: "go", replaces: ["w0", "w1"] });
  await end(0, "cancelled");
  expect((await view()).runs.map(({ outcome }) => outcome)).toEqual([null, "replaced", "replaced"]);
  expect((await view()).runs.map(({ endedAt }) => endedAt === null)).toEqual([true, true, false]);
});

test("as many ended runs are remembered as the history says, and those under way beside them", async () => {
  await configure({ concurrency: "allow" });
  for (let number = 0; number < 5; number++) {
    await begin(`w${number}`);
    if (number > 0) await end(number, "succeeded");
  }
  expect((await view()).runs.map(({ number }) => number)).toEqual([4, 3, 0]);
});

test("an older configuration is passed over, and a removed job begins nothing", async () => {
  await configure({ history: 9 }, 5);
  await configure({ history: 1 }, 4);
  expect((await view()).schedule.history).toBe(9);
  await job().remove({ configRevision: 4 });
  expect(await view()).not.toBeNull();
  await job().remove({ configRevision: 6 });
  expect(await begin("w0")).toEqual({ kind: "skip" });
  expect(await view()).toBeNull();
});
