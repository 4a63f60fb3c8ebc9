import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { testServer } from "#infra/stack/for-tests.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { makeNamespace, removeNamespace } from "#infra/temporal/test-namespace.ts";
import { newId, silentLog } from "#runtime";
import { WORKFLOW_ENTRIES } from "./entries.ts";
import { startWorkers } from "./worker.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const TRIES = 5;

/** Threads of this process that the SDK makes for a worker, by the names the kernel knows. */
function workerThreads(): number {
  return readdirSync("/proc/self/task").filter((id) => {
    try {
      return /^(?:Worker|temporal-real-s)/.test(readFileSync(`/proc/self/task/${id}/comm`, "utf8"));
    } catch {
      return false; // it has just ended
    }
  }).length;
}

test.skipIf(process.platform !== "linux")(
  "a namespace that is not there costs an attempt no thread, and is taken up once it is there",
  async () => {
    const address = await testServer("temporal");
    const namespace = newId("ns");
    const before = workerThreads();
    const tried = Promise.withResolvers<void>();
    let downs = 0;
    const workers = startWorkers({
      address,
      namespace,
      queues: [{ taskQueue: namespace, workflowsPath: WORKFLOW_ENTRIES.gateway, activities: {} }],
      log: (_level, event) => void (event === "worker:down" && ++downs === TRIES && tried.resolve()),
    });
    try {
      await tried.promise;
      expect(workerThreads()).toBe(before);
      await makeNamespace(address, namespace);
      await workers.ready();
      expect(workers.running()).toEqual([namespace]);
    } finally {
      await workers.stop();
      await removeNamespace(address, namespace);
    }
  },
);

test("a start beside a worker of its queue brings the first workflow task along, and one beside none does not", async () => {
  const address = await testServer("temporal");
  const temporal = temporalConnection({ address });
  const [here, elsewhere] = [newId("queue"), newId("queue")];
  const workers = startWorkers({
    address,
    queues: [{ taskQueue: here, workflowsPath: WORKFLOW_ENTRIES.gateway, activities: {} }],
    log: silentLog,
    eager: temporal.eager,
  });
  const comesAlong = async (taskQueue: string): Promise<readonly boolean[]> => {
    const workflowId = newId("eager");
    const start = { namespace: "default", workflowId, workflowType: { name: "none" }, taskQueue: { name: taskQueue } };
    const made = await temporal.starting(taskQueue, async (service, isEager) => {
      const { eagerWorkflowTask } = await service.startWorkflowExecution({
        ...start,
        requestId: workflowId,
        requestEagerExecution: isEager,
      });
      return [isEager, eagerWorkflowTask != null];
    });
    await temporal.client.workflow.getHandle(workflowId).terminate();
    return made;
  };
  try {
    await workers.ready();
    expect([await comesAlong(here), await comesAlong(elsewhere)]).toEqual([
      [true, true],
      [false, false],
    ]);
    await workers.stop();
    expect(await comesAlong(here)).toEqual([false, false]);
  } finally {
    await workers.stop();
    await temporal.close();
  }
});
