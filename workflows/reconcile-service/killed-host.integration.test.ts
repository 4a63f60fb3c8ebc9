/** What the loop does where the process of another host is killed in the middle of an activity; and where it is only slow. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { defaultPayloadConverter } from "@temporalio/common";
import { DEFAULT_UPDATE } from "#actors/orchestrator/scaler/messages.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { type Temporal, temporalConnection } from "#infra/temporal/connection.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { newId, silentLog } from "#runtime";
import { WORKFLOW_ENTRIES } from "../entries.ts";
import { startWorkers } from "../worker.ts";
import type { ReconcileActivities } from "./activities.ts";
import type { Acted, ActOrder, HostView, Survey } from "./messages.ts";

setDefaultTimeout(90_000);

/** Long before the longest that an activity may take, and long after a killed process is missed. */
const SOON_MS = 30_000;
/** How long a poll may stay open; the server ends it sooner. */
const POLL_MS = 70_000;
const DONE: Acted = { failed: [], kept: [], unavailable: null, fenced: false };
const EMPTY_B: HostView = { host: "b", containers: [], reason: null };

let temporal: Temporal;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  temporal = temporalConnection({ address: await testServer("temporal") });
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => temporal.close());

/** A loop of two replicas, whose process drives host `a`; with what it came to know of host `b`, look by look. */
async function startLoop() {
  const taskQueue = newId("killed");
  const workflowId = newId("reconcile");
  const seenOfB: (HostView | undefined)[] = [];
  const activities: ReconcileActivities = {
    survey: async (): Promise<Survey> => ({
      desired: {
        generation: 1,
        revision: "r1",
        replicas: 2,
        removed: false,
        canary: null,
        good: null,
        since: Date.now(),
        update: DEFAULT_UPDATE,
        paused: false,
        routed: false,
        pinned: false,
        dependsOn: [],
        graceMs: 1_000,
        draining: {},
        lookForImage: false,
      },
      hosts: [{ host: "a", containers: [], reason: null }],
      elsewhere: ["b"],
      waitsFor: [],
      nowMs: Date.now(),
    }),
    noteLook: async (_name, hosts) => {
      seenOfB.push(hosts.find(({ host }) => host === "b"));
      return { slots: {}, fence: seenOfB.length, hidden: [] };
    },
    observeHost: async () => null,
    actOnHost: async () => DONE,
    reportService: async () => undefined,
    rollBack: async () => undefined,
  };
  await working(taskQueue, activities, WORKFLOW_ENTRIES.orchestrator);
  const start = { workflowId, taskQueue, args: [{ name: "web" }] };
  const handle = await temporal.call(() => temporal.client.workflow.start("reconcileService", start));
  ends.push(() => handle.terminate());
  return { handle, queueOfB: `${taskQueue}.b`, seenOfB };
}

async function working(taskQueue: string, activities: object, workflowsPath?: string): Promise<void> {
  const queue = { taskQueue, activities, ...(workflowsPath === undefined ? {} : { workflowsPath }) };
  const workers = startWorkers({ address: temporal.address, queues: [queue], log: silentLog });
  ends.push(() => workers.stop());
  await workers.ready();
}

/** Stands for the processes of a host. What `answer` has no result for is taken and never ended, as by one that is killed. */
function standFor(queue: string, answer: (activity: string, args: readonly unknown[]) => unknown): void {
  const over = new AbortController();
  const { connection, workflowService } = temporal.client;
  const { namespace } = temporal;
  const poll = () =>
    workflowService.pollActivityTaskQueue({ namespace, taskQueue: { name: queue }, identity: "of host b" });
  const serving = (async () => {
    while (!over.signal.aborted) {
      const { taskToken, activityType, input } = await connection.withAbortSignal(over.signal, () =>
        connection.withDeadline(Date.now() + POLL_MS, poll),
      );
      if (taskToken.length === 0) continue; // Nothing was asked for within a minute.
      const args = (input?.payloads ?? []).map((payload) => defaultPayloadConverter.fromPayload(payload));
      const result = answer(activityType?.name ?? "", args);
      if (result === undefined) continue;
      const payloads = [defaultPayloadConverter.toPayload(result)];
      await workflowService.respondActivityTaskCompleted({ namespace, taskToken, result: { payloads } });
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  ends.push(async () => {
    over.abort();
    await serving;
  });
}

test("where a process is killed while it looks at its host, another one of that host is asked soon, and nobody calls the host away", async () => {
  const { queueOfB, seenOfB } = await startLoop();
  let looks = 0;
  standFor(queueOfB, (activity) => (activity === "observeHost" ? (looks++ === 0 ? undefined : EMPTY_B) : DONE));
  await eventually("host b is seen", SOON_MS, async () => seenOfB.length > 0);
  expect(looks).toBeGreaterThan(1);
  expect(seenOfB[0]).toEqual(EMPTY_B);
});

test("where a process is killed while it acts on its host, the loop soon looks anew, and acts with a newer token", async () => {
  const { queueOfB } = await startLoop();
  const orders: ActOrder[] = [];
  standFor(queueOfB, (activity, [, order]) => {
    if (activity === "observeHost") return EMPTY_B;
    return orders.push(order as ActOrder) === 1 ? undefined : DONE;
  });
  await eventually("it is acted on host b again", SOON_MS, async () => orders.length > 1);
  const [lost, next] = orders;
  expect(next?.actions).toEqual(lost?.actions ?? []);
  expect(next?.fence).toBeGreaterThan(lost?.fence ?? Number.POSITIVE_INFINITY);
});

test("a process that takes longer than that and lives is waited for, and asked once", async () => {
  const { handle, queueOfB, seenOfB } = await startLoop();
  const released = Promise.withResolvers<HostView>();
  let looks = 0;
  await working(queueOfB, { actOnHost: async () => DONE, observeHost: () => (looks++, released.promise) });
  await eventually("it has given signs of life for longer than they may be apart", SOON_MS, async () => {
    const { raw } = await temporal.call(() => handle.describe());
    const [look] = raw.pendingActivities ?? [];
    const started = Number(look?.lastStartedTime?.seconds ?? Number.NaN);
    return Number(look?.lastHeartbeatTime?.seconds ?? Number.NaN) - started > 11;
  });
  released.resolve(EMPTY_B);
  await eventually("host b is seen", SOON_MS, async () => seenOfB.length > 0);
  expect([looks, seenOfB[0]]).toEqual([1, EMPTY_B]);
});
