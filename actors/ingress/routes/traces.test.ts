import { expect, test } from "bun:test";
import { answerTraces, type TraceQuestion } from "#infra/otel/cluster-traces.ts";
import { openOtel } from "#infra/otel/otel.ts";
import { type KeptSpan, TraceStore } from "#infra/otel/trace-store.ts";
import type { Troupe } from "#runtime";
import { createIngress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";
import { TRACES } from "./traces.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

function ingress(recorded = true) {
  const traces = new TraceStore();
  const tracing = openOtel({ processors: [traces], sampling: (_id, parent) => parent ?? recorded });
  const app = createIngress(stubDeps({ tracing, traces }));
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await app.handle(new Request(`http://localhost${path}`, init));
    return { status: response.status, traceId: response.headers.get("x-trace-id") ?? "", body: await response.json() };
  };
  return { traces, ask };
}

test("the trace id of an answer finds the span of its request, under the caller's where there is one", async () => {
  const { ask } = ingress();
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
  const asked = await ask("/orders/ord_1?secret=1", { headers });
  expect([asked.status, asked.traceId]).toEqual([422, TRACE]);
  const { body } = await ask(`/traces/${TRACE}`);
  expect(body).toMatchObject({
    traceId: TRACE,
    dropped: 0,
    spans: [
      {
        name: "GET /orders/:id",
        kind: "server",
        parentSpanId: "b7ad6b7169203331",
        failure: null,
        attributes: {
          "http.request.method": "GET",
          "http.route": "/orders/:id",
          "url.path": "/orders/ord_1",
          "http.response.status_code": 422,
        },
      },
    ],
  });
  expect(JSON.stringify(body)).not.toContain("secret");
});

test("what nobody wants recorded is not, nor who looks at the process; the answer has its trace id all the same", async () => {
  const { ask } = ingress();
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-00` };
  expect((await ask("/orders/ord_1", { headers })).traceId).toBe(TRACE);
  expect((await ask("/health")).traceId).toMatch(/^[0-9a-f]{32}$/);
  expect((await ask(`/traces/${TRACE}`)).status).toBe(404);
  expect((await ask("/traces")).body).toEqual({ items: [], next: null });
});

test("spans of other processes come in as OTLP, and are listed by what they say, page by page", async () => {
  const { ask } = ingress(false);
  const span = (traceId: string, name: string, failed: boolean) => ({
    ...{ traceId, spanId: "b7ad6b7169203331", name, kind: 3 },
    startTimeUnixNano: failed ? "1750000001000000000" : "1750000000000000000",
    endTimeUnixNano: failed ? "1750000001250000000" : "1750000000250000000",
    attributes: [{ key: "tea", value: { stringValue: `of ${name}` } }],
    status: failed ? { code: 2, message: "cold" } : {},
  });
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "kettle" } }] };
  const spans = [span("a".repeat(32), "boil", false), span("b".repeat(32), "pour", true)];
  const post = (body: unknown) =>
    ask("/v1/traces", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  expect((await post({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })).body).toEqual({ partialSuccess: {} });
  expect((await post({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "x" }] }] }] })).status).toBe(422);
  const poured = { traceId: "b".repeat(32), name: "pour", durationMs: 250, spans: 1, failures: 1 };
  expect((await ask("/traces?limit=1")).body).toMatchObject({ items: [poured], next: expect.any(String) });
  const { next } = (await ask("/traces?limit=1")).body as { next: string };
  expect((await ask(`/traces?limit=1&cursor=${next}`)).body).toMatchObject({
    items: [{ name: "boil" }],
    next: null,
  });
  expect((await ask("/traces?failed=true")).body).toMatchObject({ items: [poured], next: null });
  expect((await ask("/traces?q=of%20boil")).body).toMatchObject({ items: [{ name: "boil" }] });
  expect((await ask("/traces?minDurationMs=251")).body).toMatchObject({ items: [] });
  expect((await ask(`/traces/${"b".repeat(32)}`)).body).toMatchObject({
    spans: [{ service: "kettle", kind: "client", failure: "cold", attributes: { tea: "of pour" } }],
  });
});

test("every node is asked: a trace that two have a part of is one, and a node that is away is left out", async () => {
  const span = (spanId: string, name: string, more: Partial<KeptSpan>): KeptSpan => ({
    ...{ spanId, parentSpanId: null, name, kind: "internal", service: "s", failure: null, attributes: {}, links: [] },
    ...{ startMs: 1_000, endMs: 1_010 },
    ...more,
  });
  const [own, other] = [new TraceStore(), new TraceStore()];
  own.add(TRACE, span("a1", "POST /orders", {}));
  other.add(TRACE, span("b1", "order/place", { parentSpanId: "a1", startMs: 1_002, endMs: 1_050, failure: "full" }));
  other.add("c".repeat(32), span("c1", "tick", { startMs: 2_000, endMs: 2_001 }));
  own.add("d".repeat(32), span("d1", "poll", { startMs: 500, endMs: 501 }));
  const asked = new Set<string>();
  const troupe = {
    nodeId: "here",
    askNodes: async (what: string, question: unknown) => {
      asked.add(what);
      const answer = JSON.parse(JSON.stringify(answerTraces(other, question as TraceQuestion))) as unknown;
      return [
        { node: "here", answer: undefined },
        { node: "there", answer },
        { node: "away", answer: undefined },
      ];
    },
  };
  const app = createIngress(stubDeps({ traces: own, troupe: () => troupe as unknown as Troupe }));
  const ask = async (path: string) =>
    (await app.handle(new Request(`http://localhost${path}`))).json() as Promise<{
      items: { traceId: string; name: string; spans: number; durationMs: number; failures: number }[];
      next: string | null;
      spans: { name: string }[];
    }>;
  const page = await ask("/traces?limit=2");
  expect(page.items.map(({ name, spans, durationMs, failures }) => [name, spans, durationMs, failures])).toEqual([
    ["tick", 1, 1, 0],
    ["POST /orders", 2, 50, 1],
  ]);
  expect((await ask(`/traces?limit=2&cursor=${page.next ?? ""}`)).items.map(({ name }) => name)).toEqual(["poll"]);
  expect((await ask("/traces?failed=false")).items.map(({ name }) => name)).toEqual(["tick", "poll"]);
  expect((await ask(`/traces/${TRACE}`)).spans.map(({ name }) => name)).toEqual(["POST /orders", "order/place"]);
  expect([...asked]).toEqual([TRACES]);
});
