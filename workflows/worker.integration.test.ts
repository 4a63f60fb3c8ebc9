import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { testServer } from "#infra/stack/for-tests.ts";
import { makeNamespace, removeNamespace } from "#infra/temporal/test-namespace.ts";
import { newId } from "#runtime";
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
