import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { insist } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

interface Listed {
  readonly orderId: string;
  readonly customerId: string;
  readonly status: string;
  readonly total: number;
}

/** Places `count` orders of an amount, eight at a time, through whichever process `app` gives. */
async function placeAll(
  app: () => AppProcess,
  prefix: string,
  count: number,
  placed: (id: string) => void,
): Promise<void> {
  const waiting = Array.from({ length: count }, (_, i) => i);
  const client = async (): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
      const body = { amount: 100 + i, customerId: `${prefix}-${i % 3}` };
      const answer = await insist(() => app().post("/orders", body, { "idempotency-key": `${prefix}-${i}` }), 120_000);
      if (answer.status !== 201) throw new Error(`Expected 201, got ${answer.status}: ${JSON.stringify(answer.body)}`);
      placed((answer.body as { orderId: string }).orderId);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

async function listAll(app: AppProcess): Promise<Map<string, Listed>> {
  const listed = new Map<string, Listed>();
  for (let cursor = ""; ;) {
    const { status, body } = await app.get(`/orders?limit=50${cursor}`);
    if (status !== 200) throw new Error(`Expected 200, got ${status}: ${JSON.stringify(body)}`);
    const page = body as { items: Listed[]; next: string | null };
    for (const item of page.items) listed.set(item.orderId, item);
    if (page.next === null) return listed;
    cursor = `&cursor=${page.next}`;
  }
}

/** Waits until every order is delivered and listed as its actor shows it. */
async function untilEqual(app: AppProcess, ids: ReadonlySet<string>): Promise<void> {
  await eventually("every order is listed as delivered", 180_000, async () => {
    const listed = await listAll(app).catch(() => new Map<string, Listed>());
    return [...ids].every((id) => listed.get(id)?.status === "delivered");
  });
  const listed = await listAll(app);
  expect(listed.size).toBe(ids.size);
  for (const id of ids) {
    const { orderId, customerId, status, total } = (await app.get(`/orders/${id}`)).body as Listed;
    expect(listed.get(id)).toMatchObject({ orderId, customerId, status, total });
  }
}

test("the list of 200 orders equals the orders after a kill in the middle, and after a rebuild while more come", async () => {
  let app = await harness.start().ready();
  const ids = new Set<string>();
  const placing = placeAll(
    () => app,
    "first",
    200,
    (id) => void ids.add(id),
  );
  await eventually("100 orders are placed", 120_000, async () => ids.size >= 100);
  await app.kill();
  app = await harness.start().ready();
  await placing;
  await untilEqual(app, ids);

  const more = placeAll(
    () => app,
    "more",
    60,
    (id) => void ids.add(id),
  );
  const rebuilt = await app.post("/projections/orders/rebuild");
  expect(rebuilt.status).toBe(202);
  // Lists are answered all the while, and never without the orders that were there before.
  await eventually("the new build serves", 60_000, async () => {
    expect((await listAll(app)).size).toBeGreaterThanOrEqual(200);
    const { items } = (await app.get("/projections")).body as {
      items: { version: number; building: unknown; failing: unknown[] }[];
    };
    return items[0]?.version === 2 && items[0].building === null && items;
  });
  await more;
  await untilEqual(app, ids);
  expect(await app.stop()).toBe(0);
}, 400_000);
