import { afterAll, expect, test } from "bun:test";
import { Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { createTroupe, memory, newId } from "#runtime";
import { bodyOf, deliverWebhookActivities, retryAfterMs } from "./activities.ts";

const NOW = Date.UTC(2026, 0, 1);

/** Answers as it is told. */
let answer = (): Response => new Response();
const receiver = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => answer() });
afterAll(() => receiver.stop(true));

test.each([
  [undefined, 0],
  ["120", 120_000],
  ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
  ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
  ["999999999", 24 * 3_600_000],
  ["soon", 0],
  ["-5", 0],
] as const)("Retry-After %p is %p ms, at most a day", (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected);
});

test("a try is kept with its status, the beginning of the answer, and when the next one is due", async () => {
  await using troupe = await createTroupe({ actors: [Endpoint], stores: { default: memory() } });
  const endpointId = newId("ep");
  const endpoint = troupe.ref(Endpoint, endpointId);
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  await endpoint.create({ url, description: "", types: [], ratePerSecond: null });
  const activities = deliverWebhookActivities({ troupe, allows: () => true });
  const delivery = {
    ...{ deliveryId: "dlv_1", webhookId: "dlv_1", endpointId, event: { id: "1", type: "demo.made" } },
    retriesMs: [60_000],
  };
  const attempt = async (nth: number, response: () => Response) => {
    answer = response;
    const before = Date.now();
    await activities.tryDelivery(delivery, nth);
    const [last] = (await endpoint.attempts()) ?? [];
    const inMs = last?.nextTryAt == null ? null : Math.round((Date.parse(last.nextTryAt) - before) / 60_000) * 60_000;
    return { ...last, inMs };
  };
  const long = `\u0007no ${"x".repeat(5_000)}`;
  const failed = await attempt(1, () => new Response(long, { status: 503 }));
  expect(failed).toMatchObject({ attempt: 1, status: 503, outcome: "failed", inMs: 60_000 });
  expect(failed.response).toBe(` no ${"x".repeat(252)}`);
  const asked = await attempt(1, () => new Response("wait", { status: 429, headers: { "retry-after": "600" } }));
  expect(asked).toMatchObject({ status: 429, response: "wait", inMs: 600_000 });
  expect(await attempt(2, () => new Response("again", { status: 500 }))).toMatchObject({
    response: "again",
    inMs: null,
  });
  expect(await attempt(1, () => new Response("bye", { status: 410 }))).toMatchObject({ status: 410, inMs: null });
  expect(await attempt(1, () => new Response("thanks"))).toMatchObject({
    outcome: "delivered",
    response: "thanks",
    inMs: null,
  });
});

test("bodyOf() sends data that came as a text as that text", () => {
  const event = { specversion: "1.0", id: "1", type: "demo.made" };
  expect(bodyOf({ ...event, data_json: '{"n":9007199254740993,"m":1.0}' })).toBe(
    '{"specversion":"1.0","id":"1","type":"demo.made","data":{"n":9007199254740993,"m":1.0}}',
  );
  expect(JSON.parse(bodyOf({ ...event, data: { n: 1 } }))).toEqual({ ...event, data: { n: 1 } });
});
