import { expect, test } from "bun:test";
import { msToTs } from "@temporalio/common/lib/time";
import { waitsOf } from "./standstill.ts";

const NOW_MS = 100_000;
const RUNNING = 1;
const [SCHEDULED, STARTED] = [1, 2];

test("waitsOf() names each activity on its way with its age and its worker, and the workflow task", () => {
  const told = {
    code: RUNNING,
    pendingActivities: [
      {
        activityType: { name: "actOnHost" },
        state: STARTED,
        attempt: 1,
        lastStartedTime: msToTs(15_800),
        lastWorkerIdentity: "4711@here",
      },
      {
        activityType: { name: "observeHost" },
        state: SCHEDULED,
        attempt: 2,
        scheduledTime: msToTs(98_000),
        lastFailure: { message: "no answer" },
      },
    ],
    pendingWorkflowTask: { state: STARTED, attempt: 3, startedTime: msToTs(99_500) },
  };
  expect(waitsOf(told, NOW_MS)).toBe(
    "RUNNING, waits for actOnHost (try 1, started 84.2 s ago by 4711@here), " +
      "observeHost (try 2, not started, asked for 2.0 s ago, failed before: no answer), " +
      "its workflow task (try 3, started 0.5 s ago)",
  );
});

test("waitsOf() says so where a run waits for nobody's work", () => {
  expect(waitsOf({ code: RUNNING, pendingActivities: [] }, NOW_MS)).toBe("RUNNING, waits for a signal or a timer");
});
