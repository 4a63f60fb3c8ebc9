/**
 * One trace through everything: an order and a service, told to a collector that speaks OTLP over HTTP, as anybody's
 * collector does. What is asked of it is asked by the trace id that the answer carried.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { keepOtlp, OtlpTraces } from "#infra/otel/otlp-json.ts";
import { type KeptSpan, TraceStore } from "#infra/otel/trace-store.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { removeRabbitMqObjects } from "./rabbitmq-objects.ts";
import { removeKeys } from "./redis-keys.ts";
import { stockUp, untilOrder } from "./shop.ts";

setDefaultTimeout(120_000);

const BROKERS = ["nats", "kafka", "rabbitmq", "redis"];
const WITHIN_MS = 60_000;

const collected = new TraceStore(256 * 1024 * 1024);
let collector: Bun.Server<undefined>;
let rabbitmqUrl: string;
let redisUrl: string;
let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  collector = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (new URL(request.url).pathname !== "/v1/traces") return new Response(null, { status: 404 });
      keepOtlp(collected, v.parse(OtlpTraces, await request.json()));
      return Response.json({ partialSuccess: {} });
    },
  });
  let dockerHost: string;
  [rabbitmqUrl, redisUrl, dockerHost] = await Promise.all([
    testServer("rabbitmq"),
    testServer("redis"),
    testServer("docker"),
  ]);
  harness = await openHarness({
    kafka: true,
    environment: {
      RABBITMQ_URL: rabbitmqUrl,
      REDIS_URL: redisUrl,
      DOCKER_HOST: dockerHost,
      TROUPE_ROLES: "ingress,actors,workflows,scaler",
      TROUPE_HOST: "here",
      DELIVERY_STEP: "50ms",
      OTEL_TRACES_SAMPLER: "parentbased_always_on",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "200",
      OTEL_BSP_MAX_QUEUE_SIZE: "65536",
    },
  });
  app = await harness.start().ready();
}, 300_000);
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await collector?.stop(true);
  if (harness === undefined) return;
  await removeKeys(redisUrl, `${harness.cluster}:`);
  await removeRabbitMqObjects(rabbitmqUrl, harness.cluster);
}, 60_000);

/** Waits until the collector has all of these in a trace. */
async function untilCollected(traceId: string, wanted: Readonly<Record<string, Wanted>>): Promise<readonly KeptSpan[]> {
  let missing: string[] = [];
  let spans: readonly KeptSpan[] = [];
  await eventually("the trace is whole", WITHIN_MS, async () => {
    spans = collected.get(traceId)?.spans ?? [];
    missing = Object.keys(wanted).filter((what) => !spans.some((span) => wanted[what]?.(span)));
    return missing.length === 0;
  }).catch(() => undefined);
  if (missing.length > 0)
    throw new Error(
      `Missing in ${traceId}: ${missing.join("; ")}. There: ${[...new Set(spans.map(({ name }) => name))].join("; ")}`,
    );
  return spans;
}

type Wanted = (span: KeptSpan) => boolean;
const named = (name: string | RegExp) => (span: KeptSpan) =>
  typeof name === "string" ? span.name === name : name.test(span.name);
const by = (kind: KeptSpan["kind"], system: string, name: RegExp) => (span: KeptSpan) =>
  span.kind === kind && span.attributes["messaging.system.name"] === system && name.test(span.name);

test("the trace of POST /orders has spans of every service, broker and step", async () => {
  await stockUp(app, "TRACED", 10);
  const answer = await app.post("/orders", { customerId: "customer-9", lines: [{ sku: "TRACED", quantity: 1 }] });
  const traceId = answer.headers.get("x-trace-id") ?? "";
  const { orderId } = answer.body as { orderId: string };
  await untilOrder(app, orderId, "delivered");
  const services = [
    "customer",
    "order",
    "stock",
    "payment",
    "sandbox-payment",
    "delivery",
    "invoice",
    "invoice-book",
    "notification",
  ];
  const spans = await untilCollected(traceId, {
    http: named("POST /orders"),
    ...Object.fromEntries(services.map((type) => [type, named(new RegExp(`^${type}/`))])),
    ...Object.fromEntries(["order", "stock", "payment"].map((store) => [`commit ${store}`, named(`COMMIT ${store}`)])),
    ...Object.fromEntries(BROKERS.map((broker) => [`outbox ${broker}`, named(`outbox ${broker}`)])),
    ...Object.fromEntries(BROKERS.map((broker) => [`to ${broker}`, by("producer", broker, /^publish order\./)])),
    ...Object.fromEntries(
      ["kafka", "rabbitmq", "redis"].map((from) => [`from ${from}`, by("consumer", from, /^process /)]),
    ),
    "workflow started": named("start workflow"),
    workflow: named("RunWorkflow fulfilOrder"),
    activity: named("RunActivity holdStock"),
  });
  const http = spans.find(named("POST /orders"));
  expect(http?.attributes).toMatchObject({ "http.route": "/orders", "http.response.status_code": 201 });
  const turn = spans.find(({ parentSpanId }) => parentSpanId === http?.spanId);
  expect(turn?.name).toBe("order/place");
  // Each span hangs on another one of the trace: nothing of it is lost on the way.
  const ids = new Set(spans.map(({ spanId }) => spanId));
  expect(
    spans.filter(({ parentSpanId }) => parentSpanId !== null && !ids.has(parentSpanId)).map(({ name }) => name),
  ).toEqual([]);
  const activity = spans.find(named("RunActivity holdStock"));
  expect(spans.some(({ parentSpanId, name }) => parentSpanId === activity?.spanId && name === "stock/reserve")).toBe(
    true,
  );

  const kept = await app.get(`/traces/${traceId}`);
  expect(kept.status).toBe(200);
  expect((kept.body as { spans: unknown[] }).spans.length).toBeGreaterThanOrEqual(spans.length);
  const found = await app.get(`/traces?q=${orderId}&limit=200`);
  expect((found.body as { items: { traceId: string }[] }).items.map((item) => item.traceId)).toContain(traceId);
});

test("an order that is refused comes back by NATS, in its trace; a caller's trace is gone on with", async () => {
  const trace = crypto.randomUUID().replaceAll("-", "");
  const answer = await app.post(
    "/orders",
    { customerId: "customer-9", lines: [{ sku: "NOWHERE", quantity: 1 }] },
    { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  );
  expect(answer.headers.get("x-trace-id")).toBe(trace);
  await untilOrder(app, (answer.body as { orderId: string }).orderId, "rejected");
  const spans = await untilCollected(trace, {
    http: named("POST /orders"),
    "from nats": by("consumer", "nats", /^process order\.rejected\.v1/),
  });
  expect(spans.find(named("POST /orders"))?.parentSpanId).toBe("00f067aa0ba902b7");
  expect(spans.find(named("RunWorkflow fulfilOrder"))?.failure ?? null).toBeNull();
});

test("what is started or updated over HTTP is part of the trace of its request, with the activities behind it", async () => {
  await stockUp(app, "PARTLY", 1);
  const order = { customerId: "customer-10", lines: [{ sku: "PARTLY", quantity: 2 }] };
  const { orderId } = (await app.post("/orders", order)).body as { orderId: string };
  await eventually("the customer is asked", WITHIN_MS, async () => {
    const { body } = await app.get(`/orders/${orderId}`);
    return (body as { decision?: { choice: unknown } | null }).decision?.choice === null;
  });
  const decided = await app.post(`/orders/${orderId}/decide`, { choice: "accept" });
  expect(decided.status).toBe(200);
  const ofUpdate = await untilCollected(decided.headers.get("x-trace-id") ?? "", {
    http: named("POST /orders/:id/decide"),
    update: named("update workflow"),
    activity: named(/^RunActivity /),
    turn: named(/^(?:stock|payment|order)\//),
  });
  const update = ofUpdate.find(named("update workflow"));
  const activities = ofUpdate.filter(named(/^RunActivity /));
  expect(activities.map(({ parentSpanId }) => parentSpanId)).toEqual(activities.map(() => update?.spanId ?? ""));

  const started = await app.post("/workflows/refillStock", { input: { below: 1, upTo: 2 } });
  expect(started.status).toBe(202);
  const ofStart = await untilCollected(started.headers.get("x-trace-id") ?? "", {
    http: named("POST /workflows/:id"),
    start: named("start workflow"),
    run: named("RunWorkflow refillStock"),
    activity: named(/^RunActivity /),
  });
  const start = ofStart.find(named("start workflow"));
  expect(ofStart.find(named("RunWorkflow refillStock"))?.parentSpanId).toBe(start?.spanId ?? "");
});

test("a trace whose caller does not want it recorded is not, and is handed on all the same", async () => {
  const trace = crypto.randomUUID().replaceAll("-", "");
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-00` };
  const order = { customerId: "customer-9", lines: [{ sku: "TRACED", quantity: 1 }] };
  const answer = await app.post("/orders", order, headers);
  const { orderId } = answer.body as { orderId: string };
  await untilOrder(app, orderId, "delivered");
  const placed = (await harness.natsEvents()).find(
    ({ type, subject }) => type === "order.placed.v1" && subject === orderId,
  );
  expect(placed?.traceparent).toStartWith(`00-${trace}-`);
  expect(collected.get(trace)).toBeUndefined();
  expect((await app.get(`/traces/${trace}`)).status).toBe(404);
});

test("the trace of POST /config has the calls of the container engine", async () => {
  const file = "services: { traced: { image: troupe/echo:1, replicas: 1 } }";
  const answer = await app.send("POST", "/config", file, { "content-type": "application/yaml" });
  expect(answer.status).toBe(202);
  try {
    await untilCollected(answer.headers.get("x-trace-id") ?? "", {
      http: named("POST /config"),
      service: named(/^service\//),
      activity: named("RunActivity actOnHost"),
      create: named("docker create"),
      start: named("docker start"),
    });
  } finally {
    await app.send("DELETE", "/services/traced");
    await eventually("its container is gone", WITHIN_MS, async () => {
      const { body } = await app.get("/services/traced");
      return ((body as { observed?: unknown[] }).observed ?? []).length === 0;
    });
  }
});
