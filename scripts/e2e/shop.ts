import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";

/** An order as `GET /orders/:id` shows it, as far as the tests look. */
export interface Order {
  readonly orderId: string;
  readonly status: string;
  readonly reason?: string;
  readonly history: readonly { readonly status: string }[];
  readonly payment: { readonly status: string } | null;
  readonly delivery: { readonly status: string } | null;
}

const FINAL = new Set(["rejected", "cancelled", "returned"]);
const ENDS_WITHIN_MS = 60_000;

/** Makes a product with pieces. */
export async function stockUp(app: AppProcess, sku: string, quantity: number): Promise<void> {
  const product = JSON.stringify({ name: sku, price: 250, currency: "EUR" });
  expectStatus(
    await app.send("PUT", `/products/${sku}`, product, {
      "content-type": "application/json",
      "idempotency-key": `put-${sku}`,
    }),
    200,
  );
  if (quantity > 0)
    expectStatus(await app.post(`/stock/${sku}/refill`, { quantity }, { "idempotency-key": `refill-${sku}` }), 200);
}

/** Places an order of one line. */
export async function place(
  app: AppProcess,
  sku: string,
  quantity: number,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await app.post("/orders", { customerId: "customer-1", lines: [{ sku, quantity }], ...more });
  expectStatus(answer, 201);
  return (answer.body as { orderId: string }).orderId;
}

/** Waits until an order is at `status`; fails at once when it ends another way. */
export async function untilOrder(app: AppProcess, id: string, status: string): Promise<Order> {
  return eventually(`order ${id} is ${status}`, ENDS_WITHIN_MS, async () => {
    const answer = await app.get(`/orders/${id}`);
    const order = answer.body as Order;
    if (answer.status === 200 && order.status === status) return order;
    if (answer.status === 200 && FINAL.has(order.status))
      throw new Error(`Order ${id} ended ${order.status}: ${JSON.stringify(order)}`);
    return undefined;
  });
}

/** The count of a product's pieces. */
export async function level(
  app: AppProcess,
  sku: string,
): Promise<{ readonly onHand: number; readonly reserved: number; readonly available: number }> {
  const answer = await app.get(`/stock/${sku}`);
  expectStatus(answer, 200);
  return answer.body as { onHand: number; reserved: number; available: number };
}

/** Repeats a write under its key until the answer is final: what a careful client does. */
export async function insist(send: () => Promise<Answer>, withinMs: number): Promise<Answer> {
  return eventually("the write is answered", withinMs, async () => {
    const answer = await send().catch(() => undefined);
    return answer === undefined || answer.status >= 500 || answer.status === 429 ? undefined : answer;
  });
}

function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status)
    throw new Error(`Expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}
