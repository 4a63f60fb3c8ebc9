import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Customer } from "#actors/shop/customer/customer.ts";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { InvoiceBook } from "#actors/shop/invoice-book/invoice-book.ts";
import { Invoice } from "#actors/shop/invoice/invoice.ts";
import { Notification } from "#actors/shop/notification/notification.ts";
import { Order } from "#actors/shop/order/order.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import type { OrderQuery } from "#actors/shop/read-model/orders.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { Problem } from "#infra/http/problem.ts";
import { createTroupe, type Log, memory, type Troupe } from "#runtime";
import { createIngress, type Ingress } from "./app.ts";
import { stubDeps } from "./testing/stub-deps.ts";

const JSON_TYPE = { "content-type": "application/json" };
const SECRET = "secret-canary";

let troupe: Troupe;
let app: Ingress;

beforeAll(async () => {
  const actors = [Order, Customer, Stock, Payment, Delivery, Invoice, InvoiceBook, Notification];
  troupe = await createTroupe({ actors, stores: { default: memory() } });
  app = createIngress(stubDeps({ troupe: () => troupe }));
  await ask("PUT", "/products/TEA-1", { name: "Tea", price: 250 });
  await ask("POST", "/stock/TEA-1/refill", { quantity: 10 });
});
afterAll(() => troupe.stop());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  on: Ingress = app,
): Promise<Answer> {
  const init =
    body === undefined
      ? { method, headers }
      : { method, headers: { ...JSON_TYPE, ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await on.handle(new Request(`http://localhost${path}`, init));
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}

function must<T>(value: T | null): T {
  if (value === null) throw new Error("nothing is there");
  return value;
}

const order = { customerId: "c1", lines: [{ sku: "TEA-1", quantity: 2 }] };

describe("orders", () => {
  test("placing answers 201 with the total, the workflow and where to look", async () => {
    const { status, headers, body } = await ask("POST", "/orders", order);
    expect(status).toBe(201);
    const id = String(body["orderId"]);
    expect(body).toEqual({
      orderId: id,
      status: "placed",
      total: 500,
      currency: "EUR",
      workflowId: `fulfil-order/${id}`,
      links: { self: `/orders/${id}`, temporal: `http://ui.test/fulfil-order%2F${id}` },
    });
    expect(id).toMatch(/^ord_[0-9a-f-]{36}$/);
    expect(headers.get("location")).toBe(`/orders/${id}`);
    const shown = await ask("GET", `/orders/${id}`);
    expect(shown.body).toMatchObject({ orderId: id, status: "placed", payment: null, delivery: null, invoice: null });
  });

  test("an invoice stands by itself and with its order, and what a customer was told is a list", async () => {
    const { body: placed } = await ask("POST", "/orders", order);
    const { lines, total, currency, ...rest } = await troupe.ref(Order, String(placed["orderId"])).get().then(must);
    const { orderId, customerId } = rest;
    const issue = {
      orderId,
      customerId,
      lines,
      total,
      currency,
      status: "paid" as const,
      address: null,
      at: "2026-11-21T10:00:00Z",
    };
    await troupe.ref(Invoice, orderId).issue(issue);
    const { status, body } = await ask("GET", `/invoices/${orderId}`);
    expect([status, body]).toMatchObject([200, { orderId, customerId: "c1", total: 500, currency: "EUR" }]);
    expect((await ask("GET", `/orders/${orderId}`)).body).toMatchObject({ invoice: body });

    expect((await ask("GET", "/notifications/c1")).body).toEqual({ customerId: "c1", unread: 0, items: [] });
    const notice = {
      id: "evt_1",
      type: "order.placed.v1",
      orderId,
      text: "We have your order",
      at: "2026-11-21T10:00:00Z",
    };
    await troupe.ref(Notification, "c1").tell(notice);
    expect((await ask("GET", "/notifications/c1")).body).toEqual({ customerId: "c1", unread: 1, items: [notice] });
  });

  test("five parallel twins place one order and get the same answer", async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ask("POST", "/orders", order, { "idempotency-key": "twins" })),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([201, answers[0]?.body ?? {}]);
  });

  test("the same key with another body is a 422", async () => {
    await ask("POST", "/orders", order, { "idempotency-key": "reused" });
    const { status, body } = await ask(
      "POST",
      "/orders",
      { ...order, customerId: "c2" },
      { "idempotency-key": "reused" },
    );
    expect([status, body["code"]]).toEqual([422, "idempotency.key_reused"]);
  });

  test("a refused cancel names the order's reason", async () => {
    const { body: placed } = await ask("POST", "/orders", { amount: 100 });
    const id = String(placed["orderId"]);
    await troupe.ref(Order, id).reject({ reason: "out_of_stock" });
    const { status, body } = await ask("POST", `/orders/${id}/cancel`);
    expect([status, body["code"]]).toEqual([409, "order.already_final"]);
  });

  test("what is not there is a 404", async () => {
    for (const path of [
      "/orders/ord_none",
      "/orders/none",
      "/stock/NONE",
      "/payments/ord_none",
      "/deliveries/ord_none",
      "/invoices/ord_none",
    ]) {
      expect([path, (await ask("GET", path)).status]).toEqual([path, 404]);
    }
    expect((await ask("POST", "/stock/NONE/refill", { quantity: 1 })).body["code"]).toBe("stock.unknown_sku");
  });

  test("the list hands on its filters, and turns pages by the place of the last order", async () => {
    const asked: OrderQuery[] = [];
    const listed = [3, 2, 1].map((i) => ({
      orderId: `ord_${i}`,
      customerId: "pager",
      status: "placed" as const,
      total: 1,
      currency: "EUR",
      placedAt: new Date(i).toISOString(),
    }));
    const page = async (query: OrderQuery) => {
      asked.push(query);
      return listed
        .filter(({ orderId }) => query.after === undefined || orderId < query.after.id)
        .slice(0, query.limit);
    };
    const on = createIngress(stubDeps({ orders: () => ({ page }) }));
    const first = await ask("GET", "/orders?customerId=pager&status=placed&limit=2", undefined, {}, on);
    expect([first.body["items"], first.body["next"]]).toEqual([listed.slice(0, 2), "2.ord_2"]);
    const second = await ask("GET", `/orders?limit=2&cursor=${String(first.body["next"])}`, undefined, {}, on);
    expect([second.body["items"], second.body["next"]]).toEqual([listed.slice(2), null]);
    expect(asked).toMatchObject([
      { customerId: "pager", status: "placed", limit: 3, after: undefined },
      { limit: 3, after: { placedMs: 2, id: "ord_2" } },
    ]);
  });
});

describe("every answer", () => {
  test("carries the caller's trace id, whatever became of the request", async () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
    for (const [method, path, body] of [
      ["GET", "/health"],
      ["HEAD", "/health"],
      ["OPTIONS", "/orders"],
      ["GET", "/nothing"],
      ["PUT", "/orders", "{}"],
      ["POST", "/orders", "{"],
      ["POST", "/orders", order],
      ["GET", "/"],
    ] as const) {
      expect([method, path, (await ask(method, path, body, headers)).headers.get("x-trace-id")]).toEqual([
        method,
        path,
        trace,
      ]);
    }
  });

  test("to a HEAD is the one to the GET without its body", async () => {
    const { status, body } = await ask("HEAD", "/health");
    expect([status, body["text"] ?? ""]).toEqual([200, ""]);
  });

  test("to a method that is not there names those that are", async () => {
    const { status, headers, body } = await ask("PATCH", "/orders", "{}");
    expect([status, headers.get("allow"), body["code"]]).toEqual([
      405,
      "GET, HEAD, POST, OPTIONS",
      "method_not_allowed",
    ]);
  });

  test("that fails is a problem and says nothing of its cause, wherever it was thrown", async () => {
    const lines: unknown[] = [];
    const log: Log = (level, event, fields) => void lines.push([level, event, fields]);
    const failing = (thrown: unknown): Ingress => {
      const fail = (): never => {
        throw thrown;
      };
      return createIngress(stubDeps({ troupe: fail, workflows: fail, readiness: async () => fail(), log }));
    };
    for (const thrown of [
      new Error(SECRET),
      SECRET,
      new Problem(503, "unavailable", "Not yet", { retryAfter: 1, cause: new Error(SECRET) }),
    ]) {
      for (const [method, path, body] of [
        ["POST", "/orders", order],
        ["GET", "/orders/ord_1"],
        ["GET", "/ready"],
        ["GET", "/workflows"],
      ] as const) {
        const answer = await ask(method, path, body, {}, failing(thrown));
        expect([path, answer.status]).toEqual([path, thrown instanceof Problem ? 503 : 500]);
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        expect(JSON.stringify(answer.body)).not.toContain(SECRET);
        expect(JSON.stringify(lines)).toContain(String(answer.body["traceId"]));
      }
    }
  });
});

describe("GET /ready", () => {
  test("is 503 with what to do while something needed is down", async () => {
    const component = { name: "postgres", status: "down", address: "postgres://h", how: "start it" } as const;
    const down = createIngress(
      stubDeps({ readiness: async () => ({ status: "unavailable", components: [component] }) }),
    );
    const { status, headers, body } = await ask("GET", "/ready", undefined, {}, down);
    expect([status, headers.get("retry-after"), body]).toEqual([
      503,
      "1",
      { status: "unavailable", components: [component] },
    ]);
    expect((await ask("GET", "/health", undefined, {}, down)).status).toBe(200);
  });
});

test("a process without the role ingress tells of itself, and serves nobody else", async () => {
  const app = createIngress(
    stubDeps({ serves: false, metrics: { scrape: async () => ({ contentType: "text/plain", text: "up 1\n" }) } }),
  );
  const statusOf = async (path: string) => (await app.handle(new Request(`http://localhost${path}`))).status;
  for (const path of ["/health", "/ready", "/metrics"]) expect([path, await statusOf(path)]).toEqual([path, 200]);
  for (const path of ["/", "/orders", "/keys", "/console", "/openapi/json", "/ws"])
    expect([path, await statusOf(path)]).toEqual([path, 404]);
});
