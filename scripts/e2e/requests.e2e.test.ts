import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { level, stockUp } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  harness = await openHarness();
  app = await harness.start().ready();
  await stockUp(app, "TEA-1", 100);
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

const json = { "content-type": "application/json" };
const order = { customerId: "customer-1", lines: [{ sku: "TEA-1", quantity: 1 }] };
const codeOf = ({ status, body }: Answer): string => `${status} ${(body as { code?: string }).code}`;

describe("Idempotency-Key", () => {
  test("fifty parallel twins place one order and get the same answer", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => app.post("/orders", order, { "idempotency-key": "twins" })),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([201, answers[0]?.body]);
    const { body } = await app.get("/orders?limit=200");
    expect((body as { items: unknown[] }).items.length).toBe(1);
  });

  test("the same key with another body is refused", async () => {
    await app.post("/orders", order, { "idempotency-key": "other" });
    expect(
      codeOf(await app.post("/orders", { ...order, customerId: "customer-2" }, { "idempotency-key": "other" })),
    ).toBe("422 idempotency.key_reused");
  });

  test("a refill under one key counts once", async () => {
    await stockUp(app, "TEA-2", 0);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        app.post("/stock/TEA-2/refill", { quantity: 7 }, { "idempotency-key": "refill" }),
      ),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([200, answers[0]?.body]);
    expect((await level(app, "TEA-2")).onHand).toBe(7);
  });

  test("a key that is no visible ASCII is a 400", async () => {
    for (const key of ["a b", "x".repeat(256)])
      expect(codeOf(await app.post("/orders", order, { "idempotency-key": key }))).toBe(
        "400 idempotency.key_malformed",
      );
  });
});

const BAD_BODIES: readonly (readonly [
  what: string,
  status: number,
  body: string | Uint8Array<ArrayBuffer>,
  headers?: Record<string, string>,
])[] = [
  ["nothing", 400, ""],
  ["half of it", 400, '{"amount":'],
  ["a hundred thousand levels", 400, "[".repeat(100_000)],
  ["sixty-five levels", 400, "[".repeat(65) + "]".repeat(65)],
  ["a byte order mark", 400, "\ufeff{}"],
  ["NUL", 400, '{"customerId":"a\\u0000"}'],
  ["half a surrogate pair", 400, '{"customerId":"\\ud800"}'],
  ["a member twice", 400, '{"amount":1,"amount":2}'],
  ["a number out of range", 400, '{"amount":1e400}'],
  ["UTF-16", 400, new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ["broken UTF-8", 400, new Uint8Array([0x22, 0xc3, 0x22])],
  ["text", 415, "{}", { "content-type": "text/plain" }],
  ["a form", 415, "amount=1", { "content-type": "application/x-www-form-urlencoded" }],
  ["something compressed", 415, "{}", { ...json, "content-encoding": "gzip" }],
  ["more than a megabyte", 413, `{"customerId":"${"x".repeat(1_100_000)}"}`],
  ["an array", 422, "[]"],
  ["null", 422, "null"],
  ["an empty object", 422, "{}"],
  ["an unknown member", 422, '{"amount":1,"isAdmin":true}'],
  ["__proto__", 422, '{"amount":1,"__proto__":{"isAdmin":true}}'],
  ["constructor", 422, '{"amount":1,"constructor":{"prototype":{}}}'],
  ["a negative amount", 422, '{"amount":-1}'],
  ["a fraction", 422, '{"amount":1.5}'],
  ["too large an amount", 422, '{"amount":9007199254740993}'],
  ["no lines", 422, '{"customerId":"c","lines":[]}'],
  ["lines and an amount", 422, '{"customerId":"c","amount":1,"lines":[{"sku":"A","quantity":1}]}'],
  ["a subject as SKU", 422, '{"customerId":"c","lines":[{"sku":"evt.>","quantity":1}]}'],
];

describe("bad input", () => {
  for (const [what, status, body, headers = json] of BAD_BODIES) {
    test(`${what} is a ${status}, as a problem`, async () => {
      const answer = await app.send("POST", "/orders", body, headers);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
      const problem = answer.body as { status: number; traceId: string };
      expect([problem.status, problem.traceId]).toEqual([status, answer.headers.get("x-trace-id") ?? "?"]);
    });
  }

  test("every path with every method answers without a 5xx", async () => {
    const paths = [
      "/orders",
      "/orders/x",
      "/orders/ord_1",
      "/orders/%00",
      "/orders/%zz",
      "/orders/..%2f..%2fetc",
      "/products",
      "/products/a b",
      "/stock/*/refill",
      "/payments/>",
      "/workflows/%0d%0ax",
      "/nothing",
      "//",
      "/openapi/json",
    ];
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      for (const path of paths) {
        const answer = await app.send(method, path, method === "GET" || method === "HEAD" ? undefined : "{}", json);
        expect([method, path, answer.status < 500]).toEqual([method, path, true]);
        if (answer.status === 405) expect(answer.headers.get("allow")).toBeTruthy();
      }
    }
  });

  test("every place that does not fit is named at once", async () => {
    const answer = await app.post("/orders", {
      customerId: 1,
      lines: [
        { sku: "a", quantity: 0 },
        { quantity: 1, x: 1 },
      ],
      y: 1,
    });
    const paths = (answer.body as { errors: { path: string }[] }).errors.map(({ path }) => path).toSorted();
    expect([answer.status, paths]).toEqual([
      422,
      ["/customerId", "/lines/0/quantity", "/lines/0/sku", "/lines/1/sku", "/lines/1/x", "/y"],
    ]);
  });

  test("a body without a length is cut off at the limit", async () => {
    const chunk = new TextEncoder().encode("x".repeat(64 * 1024));
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++sent > 64) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const answer = await app.send("POST", "/orders", stream, json);
    expect(codeOf(answer)).toBe("413 body.too_large");
  });
});

test("the trace of the caller is answered, and reaches the order's events", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const answer = await app.post("/orders", order, { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
  expect(answer.headers.get("x-trace-id")).toBe(trace);
  const { orderId } = answer.body as { orderId: string };
  const placed = await eventually("the event is published", 10_000, async () =>
    (await harness.natsEvents()).find(({ subject, type }) => subject === orderId && type === "order.placed.v1"),
  );
  expect(placed.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
});

test("the OpenAPI document describes every body, answer and problem", async () => {
  const { status, body } = await app.get("/openapi/json");
  expect(status).toBe(200);
  const { paths, components } = body as {
    paths: Record<string, Record<string, { requestBody?: unknown; responses: Record<string, unknown> }>>;
    components: { schemas: object };
  };
  expect(paths["/orders"]?.["post"]?.requestBody).toBeDefined();
  expect(Object.keys(paths["/orders"]?.["post"]?.responses ?? {})).toEqual(
    expect.arrayContaining(["201", "400", "422", "503"]),
  );
  expect(components.schemas).toHaveProperty("Problem");
});

test("the process ends with 0 when it is asked to", async () => {
  const other = harness.start();
  await other.listening();
  expect(await other.stop()).toBe(0);
});
