import { expect, test } from "bun:test";
import { join } from "node:path";
import { historiesIn } from "./histories.ts";
import { stepsOf } from "./run-steps.ts";

async function saved(workflow: string, name: string) {
  const found = (await historiesIn(join(import.meta.dirname, workflow, "histories"))).find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no history ${name}`);
  return await stepsOf(found.history.events ?? []);
}

test("stepsOf() tells of a delivery what was asked, tried and waited for, in order", async () => {
  const steps = await saved("deliver-webhook", "retry-after");
  expect(steps.map(({ kind, name, status }) => `${kind} ${name} ${status}`)).toEqual([
    "started deliverWebhook done",
    "activity askEndpoint done",
    "activity tryDelivery done",
    "wait wait done",
    "activity askEndpoint done",
    "activity tryDelivery done",
    "ended COMPLETED done",
  ]);
  expect(steps[2]?.value).toMatchObject({ kind: "failed", detail: "The receiver answered 429", retryAfterMs: 1_000 });
  expect(steps[3]).toMatchObject({ value: 1_000, tookMs: expect.any(Number) });
  expect(steps.at(-1)?.value).toEqual({ status: "delivered", attempts: 2 });
  const times = steps.map(({ at }) => at);
  expect(times.toSorted()).toEqual(times);
});

test("stepsOf() tells of a reconcile loop what it saw and did, what woke it, and waits that were cut short", async () => {
  const steps = await saved("reconcile-service", "scaled");
  expect(steps[1]).toMatchObject({ kind: "signal", name: "wake" });
  const survey = steps.find(({ name }) => name === "survey");
  expect(survey?.value).toMatchObject({ desired: { replicas: 1 }, hosts: [{ host: "local" }] });
  expect(steps.find(({ name }) => name === "actOnHost")?.value).toMatchObject({ failed: [], unavailable: null });
  expect(steps.find(({ kind }) => kind === "wait")).toMatchObject({ status: "cut_short", value: 434 });
});

test("stepsOf() says why an activity failed, from the bottom of its failure", async () => {
  const at = { seconds: 1_700_000_000 };
  const activityType = { name: "chargeCard" };
  const steps = await stepsOf([
    { eventId: 5, eventTime: at, activityTaskScheduledEventAttributes: { activityType } },
    { eventId: 6, eventTime: at, activityTaskStartedEventAttributes: { scheduledEventId: 5, attempt: 3 } },
    {
      eventId: 7,
      eventTime: at,
      activityTaskFailedEventAttributes: {
        scheduledEventId: 5,
        failure: { message: "Activity task failed", cause: { message: "The card was declined" } },
      },
    },
  ] as unknown as Parameters<typeof stepsOf>[0]);
  expect(steps).toMatchObject([
    { name: "chargeCard", status: "failed", attempt: 3, failure: "The card was declined", tookMs: 0 },
  ]);
});
