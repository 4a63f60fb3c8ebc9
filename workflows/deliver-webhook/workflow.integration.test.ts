/**
 * Deliveries against a real Temporal server, a real endpoint actor and a local receiver.
 *
 * `RECORD_HISTORIES=1 bun test workflows/deliver-webhook` saves the histories of these runs for `replay.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { createInbox, Inbox } from "#actors/gateway/inbox/inbox.ts";
import type { NamedRoute } from "#actors/gateway/route/messages.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { temporalSink } from "#infra/temporal/sink.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, memory, newId, silentLog } from "#runtime";
import { saveHistoryIn } from "../histories.ts";
import { TASK_QUEUES } from "../task-queues.ts";
import { startWorkers } from "../worker.ts";
import { deliverWebhookActivities } from "./activities.ts";
import type { DeliverWebhookResult } from "./messages.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const WITHIN_MS = 20_000;
const HISTORIES = join(import.meta.dirname, "histories");

async function gateway(maxCachedWorkflows?: number) {
  const address = await testServer("temporal");
  const queuePrefix = `${newId("test")}-`;
  const temporal = temporalConnection({ address });
  const sink = temporalSink({ temporal, queuePrefix, log: silentLog });
  let routes: readonly NamedRoute[] = [];
  const inbox = createInbox({ routes: () => routes, check: async () => undefined, retriesMs: [20, 20, 20] });
  const troupe = await createTroupe({ actors: [inbox, Endpoint], stores: { default: memory() }, sinks: [sink] });
  const workers = startWorkers({
    address,
    queues: [
      {
        taskQueue: queuePrefix + TASK_QUEUES.gateway,
        workflowsPath: join(import.meta.dirname, "workflow.ts"),
        activities: deliverWebhookActivities({ troupe, allows: () => true, timeoutMs: 2_000 }),
      },
    ],
    log: silentLog,
    ...(maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows }),
  });
  await workers.ready();
  const seen: { headers: Headers; body: string }[] = [];
  const answers: Response[] = [];
  const receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      seen.push({ headers: request.headers, body: await request.text() });
      return answers.shift() ?? new Response(null, { status: 204 });
    },
  });

  return {
    troupe,
    seen,
    /** A new endpoint at the receiver, which answers with these statuses, and then with 204. */
    async endpoint(statuses: readonly (number | Response)[], more: object = {}) {
      seen.length = 0;
      answers.length = 0;
      answers.push(...statuses.map((one) => (typeof one === "number" ? new Response(null, { status: one }) : one)));
      const id = newId("ep");
      const url = `http://127.0.0.1:${receiver.port}/hook`;
      const config = { url, description: "", types: [], ratePerSecond: null, ...more };
      const made = await troupe.ref(Endpoint, id).create(config);
      routes = [{ name: "r", match: { type: "demo.*" }, to: [{ endpoint: id }], enabled: true }];
      return { id, secret: made.secret, ref: troupe.ref(Endpoint, id) };
    },
    /** Sends an event through the inbox, and waits until its delivery has ended. */
    async deliver(endpointId: string, name?: string): Promise<DeliverWebhookResult> {
      const event = { id: newId("evt"), source: "/demo", type: "demo.made", data: { n: 1 }, extensions: {} };
      await troupe.ref(Inbox, "1").accept({ event });
      const query = `WorkflowType = "deliverWebhook" AND TaskQueue = "${queuePrefix}${TASK_QUEUES.gateway}"`;
      const workflowId = await eventually("the delivery begins", WITHIN_MS, async () => {
        for await (const run of temporal.client.workflow.list({ query })) {
          if (run.memo?.["event"] === event.id && run.memo["endpoint"] === endpointId) return run.workflowId;
        }
        return undefined;
      });
      const handle = temporal.client.workflow.getHandle<() => Promise<DeliverWebhookResult>>(workflowId);
      const result = await handle.result();
      if (name !== undefined && process.env["RECORD_HISTORIES"])
        await saveHistoryIn(HISTORIES, name, await handle.fetchHistory());
      return result;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await receiver.stop(true);
      await workers.stop();
      await troupe.stop();
      await temporal.close();
    },
  };
}

for (const [mode, cached] of [
  ["with cached workflows", undefined],
  ["without a workflow cache", 0],
] as const) {
  describe(`deliverWebhook ${mode}`, () => {
    let g: Awaited<ReturnType<typeof gateway>>;
    beforeAll(async () => void (g = await gateway(cached)));
    afterAll(() => g?.[Symbol.asyncDispose]());

    test("delivers at the third try under one webhook-id, and the signature verifies", async () => {
      const { id, secret, ref } = await g.endpoint([500, 302]);
      expect(await g.deliver(id, "third-try")).toEqual({ status: "delivered", attempts: 3 });
      for (const { headers, body } of g.seen)
        expect(new Webhook(secret).verify(body, Object.fromEntries(headers))).toMatchObject({ type: "demo.made" });
      expect(new Set(g.seen.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
      expect((await ref.attempts())?.map(({ attempt, status }) => [attempt, status])).toEqual([
        [3, 204],
        [2, 302],
        [1, 500],
      ]);
    });

    test("gives up after the last pause: a dead letter, whose replay is a delivery of its own", async () => {
      const { id } = await g.endpoint([500, 500, 500, 500]);
      const given = await g.deliver(id, "given-up");
      expect(given).toEqual({ status: "given_up", attempts: 4, detail: "The receiver answered 500" });
      const [letter] = (await g.troupe.deadLetters.list({ reason: "receiver" })).items;
      expect(letter).toMatchObject({ type: "demo.made", attempts: 4, key: `endpoint:${id}` });
      await g.troupe.deadLetters.replay(letter?.id ?? "");
      await eventually("the replay is delivered", WITHIN_MS, async () => g.seen.length === 5);
      expect(g.seen[4]?.headers.get("webhook-id")).toBe(g.seen[0]?.headers.get("webhook-id") ?? "");
    });

    test("waits for its place within the rate, which is no try", async () => {
      const { id, ref } = await g.endpoint([], { ratePerSecond: 5 });
      await ref.ask({ eventType: "demo.made", reserved: false });
      expect(await g.deliver(id, "rate")).toEqual({ status: "delivered", attempts: 1 });
    });

    test("waits as long as the receiver asks", async () => {
      const { id } = await g.endpoint([new Response(null, { status: 429, headers: { "retry-after": "1" } })]);
      const begun = performance.now();
      expect(await g.deliver(id, "retry-after")).toEqual({ status: "delivered", attempts: 2 });
      expect(performance.now() - begun).toBeGreaterThan(900);
    });

    test("stops at once for a receiver that is gone, an endpoint that is disabled, and a type it does not take", async () => {
      const gone = await g.endpoint([410]);
      expect(await g.deliver(gone.id, "gone")).toMatchObject({ status: "given_up", attempts: 1 });
      expect(await g.deliver(gone.id, "disabled")).toMatchObject({ attempts: 0, detail: "The endpoint is disabled" });
      const other = await g.endpoint([], { types: ["other.*"] });
      expect(await g.deliver(other.id)).toMatchObject({ attempts: 0, detail: "The endpoint does not take this type" });
    });
  });
}
