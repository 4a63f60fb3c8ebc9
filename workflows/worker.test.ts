import { expect, test } from "bun:test";
import { join } from "node:path";
import { startWorkers } from "./worker.ts";

test("startWorkers() keeps trying while Temporal is away, and stop() ends that at once", async () => {
  const down = Promise.withResolvers<void>();
  const workers = startWorkers({
    address: "127.0.0.1:1",
    queues: [{ taskQueue: "nobody", workflowsPath: join(import.meta.dirname, "shop.ts"), activities: {} }],
    log: (_level, event) => void (event === "worker:down" && down.resolve()),
  });
  await down.promise;
  expect(workers.running()).toEqual([]);
  await workers.stop();
  await workers.ready();
});
