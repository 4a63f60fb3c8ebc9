import { expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { testServer } from "#infra/stack/for-tests.ts";
import { startWorkers } from "./worker.ts";

setDefaultTimeout(60_000);

const WORKFLOWS = join(import.meta.dirname, "shop.ts");

async function threads(): Promise<number> {
  return (await readdir("/proc/self/task")).length;
}

test.skipIf(process.platform !== "linux")(
  "workers whose namespace is not there try again and again, and no try leaves a thread behind",
  async () => {
    const tries: string[] = [];
    const enough = Promise.withResolvers<void>();
    const before: number[] = [];
    const workers = startWorkers({
      address: await testServer("temporal"),
      namespace: `gone-${crypto.randomUUID()}`,
      queues: [{ taskQueue: "worker-tries", workflowsPath: WORKFLOWS, activities: {} }],
      log: (_, event, fields) => {
        if (event !== "worker:down") return;
        tries.push(String(fields?.["error"]));
        if (tries.length === 1) void threads().then((count) => before.push(count));
        if (tries.length === 5) enough.resolve();
      },
    });
    await enough.promise;
    const after = await threads();
    await workers.stop();
    for (const error of tries) expect(error).toContain("not found");
    // Each of the four tries after the first would have left at least one.
    expect(after - (before[0] ?? 0)).toBeLessThan(4);
  },
);
