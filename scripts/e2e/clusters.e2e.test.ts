/** Two clusters on the same servers, in the same Temporal namespace: what one does, the other never sees. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { temporal as protocol } from "@temporalio/proto";
import { testServer } from "#infra/stack/for-tests.ts";
import { temporalConnection, type Temporal } from "#infra/temporal/connection.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { place, stockUp, untilOrder } from "./shop.ts";

setDefaultTimeout(120_000);

const SECRET_KEY = Buffer.alloc(32, 5).toString("base64");
const { api } = protocol;
const ADDRESS = "Canary Street 4c1d";

let blueHarness: Harness;
let redHarness: Harness;
let blue: AppProcess;
let red: AppProcess;
let temporal: Temporal;

beforeAll(async () => {
  blueHarness = await openHarness({ environment: { TROUPE_SECRET_KEY: SECRET_KEY } });
  const namespace = blueHarness.cluster;
  redHarness = await openHarness({ environment: { TEMPORAL_NAMESPACE: namespace, TROUPE_SECRET_KEY: SECRET_KEY } });
  blue = await blueHarness.start().ready();
  red = await redHarness.start().ready();
  temporal = temporalConnection({ address: await testServer("temporal"), namespace });
}, 240_000);
afterAll(async () => {
  await temporal?.close();
  await redHarness?.[Symbol.asyncDispose]();
  await blueHarness?.[Symbol.asyncDispose]();
}, 60_000);

const runsOf = async (app: AppProcess): Promise<string[]> => {
  const { body } = await app.get("/workflows?limit=100");
  return (body as { items: { workflowId: string }[] }).items.map(({ workflowId }) => workflowId);
};

test("each fulfils its orders with its own workers, and lists and shows its own workflows alone", async () => {
  const [ofBlue, ofRed] = await Promise.all(
    [blue, red].map(async (app) => {
      await stockUp(app, "TEA-1", 10);
      const id = await place(app, "TEA-1", 1);
      await untilOrder(app, id, "delivered");
      return id;
    }),
  );
  for (const [app, own, other] of [
    [blue, ofBlue, ofRed],
    [red, ofRed, ofBlue],
  ] as const) {
    const listed = await eventually("the run is listed", 20_000, async () => {
      const all = await runsOf(app);
      return all.includes(`fulfil-order/${own}`) && all;
    });
    expect(listed).not.toContain(`fulfil-order/${other}`);
    const show = async (id: string) => (await app.get(`/workflows/${encodeURIComponent(id)}`)).status;
    expect(await show(`fulfil-order/${own}`)).toBe(200);
    const cluster = app === blue ? redHarness.cluster : blueHarness.cluster;
    for (const id of [`fulfil-order/${other}`, `${cluster}.fulfil-order/${other}`])
      expect([id, await show(id)]).toEqual([id, 404]);
    expect((await app.get(`/orders/${other}`)).status).toBe(404);
  }
});

test("an order whose saga is terminated is delivered by another run, and Temporal never saw its address", async () => {
  const placed = await blue.post("/orders", { amount: 100, address: ADDRESS, paymentToken: "tok_slow" });
  expect(placed.status).toBe(201);
  const { orderId, workflowId } = placed.body as { orderId: string; workflowId: string };
  const handle = temporal.client.workflow.getHandle(`${blueHarness.cluster}.${workflowId}`);
  await eventually("the saga runs", 20_000, () => handle.describe().catch(() => undefined));
  const stored = Buffer.from(api.history.v1.History.encode(await handle.fetchHistory()).finish()).toString("utf8");
  expect(stored).toContain("binary/encrypted");
  expect(stored).not.toContain(ADDRESS);
  await handle.terminate("by a person");
  await eventually("the order is delivered", 90_000, async () => {
    const { body } = await blue.get(`/orders/${orderId}`);
    return (body as { status: string }).status === "delivered";
  });
});
