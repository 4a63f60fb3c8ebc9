import { expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { sealingCodec } from "./codec.ts";
import { temporalConnection } from "./connection.ts";
import { resealSchedules } from "./reseal-schedules.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const WITHIN_MS = 20_000;

test("resealSchedules() lets an old key go: schedules of ours can be read without it, others are as they were", async () => {
  const address = await testServer("temporal");
  const [old, key] = [crypto.getRandomValues(new Uint8Array(32)), crypto.getRandomValues(new Uint8Array(32))];
  const [before, during, after] = [[old], [key, old], [key]].map((keys) =>
    temporalConnection({ address, codec: sealingCodec(keys) }),
  );
  if (before === undefined || during === undefined || after === undefined) throw new Error("There are three");
  const prefix = crypto.randomUUID();
  const [ours, foreign] = [`${prefix}-ours`, `${prefix}-foreign`];
  try {
    for (const scheduleId of [ours, foreign])
      await before.client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: "2h" }] },
        state: { paused: true, note: "kept" },
        action: { type: "startWorkflow", workflowType: "w", taskQueue: scheduleId, args: [{ upTo: 5 }] },
      });
    const input = async (id: string): Promise<unknown> => {
      const { action, state } = await after.client.schedule.getHandle(id).describe();
      return [action.args, state.paused, state.note];
    };
    expect(await input(ours).catch(String)).toContain("TROUPE_SECRET_KEY");

    // The list is a second or so behind.
    const resealed = await eventually("ours is sealed by the new key", WITHIN_MS, async () => {
      await resealSchedules(during, { key, taskQueues: [ours] });
      return input(ours).catch(() => undefined);
    });

    expect(resealed).toEqual([[{ upTo: 5 }], true, "kept"]);
    expect(await input(foreign).catch(String)).toContain("TROUPE_SECRET_KEY");
  } finally {
    for (const id of [ours, foreign])
      await before.client.schedule
        .getHandle(id)
        .delete()
        .catch(() => undefined);
    await Promise.all([before, during, after].map((one) => one.close()));
  }
});
