import { afterEach, expect, test } from "bun:test";
import * as v from "valibot";
import { openOtel } from "./otel.ts";
import { keepOtlp, OtlpTraces } from "./otlp-json.ts";
import { isOtlpWanted } from "./otlp-wanted.ts";
import { otlpProcessor } from "./otlp.ts";
import { OtelSettingError } from "./sampling.ts";
import { TraceStore } from "./trace-store.ts";

interface Received {
  readonly path: string;
  readonly type: string | null;
  readonly header: string | null;
  readonly body: Uint8Array;
}

const VARIABLES = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL"] as const;
const before = VARIABLES.map((name) => [name, process.env[name]] as const);
afterEach(() => {
  for (const [name, value] of before)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

/** What a collector gets of one span, by the protocol that the variables name. */
async function exported(protocol: string | undefined): Promise<{ traceId: string; got: Received }> {
  const received: Received[] = [];
  const collector = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      received.push({
        path: new URL(request.url).pathname,
        type: request.headers.get("content-type"),
        header: request.headers.get("authorization"),
        body: await request.bytes(),
      });
      return new Response(null, { status: 200 });
    },
  });
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = `http://127.0.0.1:${collector.port}`;
  process.env["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20tk";
  if (protocol !== undefined) process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol;
  const tracing = openOtel({
    processors: [otlpProcessor()],
    resource: { "service.name": "tea" },
    sampling: () => true,
  });
  const span = tracing.begin({ name: "brew", kind: "server", parent: tracing.root(), attributes: { cups: 2 } });
  span.end(new TypeError("no leaves"));
  await tracing.close();
  await collector.stop(true);
  const [got] = received;
  if (got === undefined) return expect.unreachable("nothing arrived");
  return { traceId: span.traceparent.slice(3, 35), got };
}

test("spans go to a collector as protobuf where nothing else is said, with the headers that are set", async () => {
  const { traceId, got } = await exported(undefined);
  expect(got).toMatchObject({ path: "/v1/traces", type: "application/x-protobuf", header: "Bearer tk" });
  const body = Buffer.from(got.body);
  expect(body.includes(Buffer.from(traceId, "hex"))).toBe(true);
  expect(body.includes("brew")).toBe(true);
});

test("spans go to a collector as JSON, which is read back as it was", async () => {
  const { traceId, got } = await exported("http/json");
  const store = new TraceStore();
  keepOtlp(store, v.parse(OtlpTraces, JSON.parse(new TextDecoder().decode(got.body))));
  const [span] = store.get(traceId)?.spans ?? [];
  expect(span).toMatchObject({
    ...{ name: "brew", kind: "server", service: "tea", parentSpanId: null, failure: "no leaves" },
    attributes: { cups: 2, "error.type": "TypeError" },
  });
  expect(span?.endMs).toBeGreaterThanOrEqual(span?.startMs ?? Infinity);
});

test("a protocol that is not there is said, and nothing goes out where nothing is configured", () => {
  expect(() => otlpProcessor({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toThrow(OtelSettingError);
  expect(isOtlpWanted({})).toBe(false);
  expect(isOtlpWanted({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4318/v1/traces" })).toBe(true);
  expect(isOtlpWanted({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_TRACES_EXPORTER: "none" })).toBe(false);
});
