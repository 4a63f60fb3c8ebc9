import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { lastRelease, ReleasedTree } from "./released-tree.ts";
import { insist, level, stockUp } from "./shop.ts";

setDefaultTimeout(300_000);

const WITHIN_MS = 90_000;
const CLIENTS = 2;
const PIECES = 5_000;
/** Orders that each version has to have taken before the next step. */
const ORDERS_A_STEP = 10;

const release = lastRelease();
const title = "why" in release ? `from the last release (skipped: ${release.why})` : `from ${release.name}`;

describe.skipIf("why" in release)(`a rolling upgrade ${title}`, () => {
  let tree: ReleasedTree;
  let harness: Harness;

  beforeAll(async () => {
    if ("why" in release) return;
    [tree, harness] = await Promise.all([
      ReleasedTree.open(release),
      openHarness({ environment: { TROUPE_STOP_GRACE: "500ms", DELIVERY_STEP: "50ms" } }),
    ]);
  }, 240_000);
  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
    await tree?.[Symbol.asyncDispose]();
  }, 60_000);

  test("two old nodes are replaced by two new ones while orders come in: no order is lost or doubled, and every one is delivered", async () => {
    const start = (script?: string): Promise<AppProcess> => harness.start({}, undefined, script).ready();
    let nodes: readonly AppProcess[] = await Promise.all([start(tree.script), start(tree.script)]);
    await stockUp(nodes[0] as AppProcess, "TEA-1", PIECES);

    const placed = new Map<string, string>();
    const odd: string[] = [];
    let over = false;
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = 0; !over; n++) {
        const key = `upgrade-${client}-${n}`;
        const order = { customerId: `cus_${client}`, lines: [{ sku: "TEA-1", quantity: 1 }] };
        // Each try goes to whichever node is there then, as a load balancer would send it.
        const answer: Answer = await insist(() => {
          const node = nodes[(client + n) % nodes.length] as AppProcess;
          return node.post("/orders", order, { "idempotency-key": key });
        }, WITHIN_MS);
        if (answer.status === 201) placed.set(key, (answer.body as { orderId: string }).orderId);
        else odd.push(`${answer.status} ${JSON.stringify(answer.body)}`);
      }
    });
    const more = async (): Promise<void> => {
      const enough = placed.size + ORDERS_A_STEP;
      await eventually("further orders are taken", WITHIN_MS, async () => placed.size >= enough || undefined);
    };

    try {
      await more();
      for (let step = 0; step < 2; step++) {
        const leaving = nodes[0] as AppProcess; // the old ones stand first
        const fresh = await start();
        nodes = [...nodes, fresh];
        await more(); // old and new are nodes of one cluster
        nodes = nodes.filter((node) => node !== leaving);
        const code = await leaving.stop();
        expect([code, code === 0 ? "" : leaving.log()]).toEqual([0, ""]);
        await more();
      }
    } finally {
      over = true;
      await Promise.allSettled(clients);
    }
    await Promise.all(clients);

    expect(odd).toEqual([]);
    const node = nodes[0] as AppProcess;
    const ids = [...placed.values()];
    expect(new Set(ids).size).toBe(ids.length);
    let left: readonly string[] = ids;
    await eventually("every order is delivered", 2 * WITHIN_MS, async () => {
      const statuses = await Promise.all(left.map((id) => statusOf(node, id)));
      left = left.filter((_, i) => statuses[i] !== "delivered");
      return left.length === 0 || undefined;
    });
    // Each took one piece, and no repeat of a step a second.
    await eventually("as many pieces have gone as there are orders", WITHIN_MS, async () => {
      return (await level(node, "TEA-1")).onHand === PIECES - ids.length || undefined;
    });
    const events = new Map((await harness.natsEvents()).map((event) => [event.id, event]));
    for (const type of ["order.placed.v1", "order.delivered.v1", "payment.captured.v1"]) {
      const subjects = [...events.values()].filter((event) => event.type === type).map(({ subject }) => subject);
      expect([type, subjects.toSorted()]).toEqual([type, ids.toSorted()]);
    }
    const letters = (await node.get("/dead-letters")).body as { items: unknown[] };
    expect(letters.items).toEqual([]);
  });
});

async function statusOf(node: AppProcess, orderId: string): Promise<string> {
  const { body } = await node.get(`/orders/${orderId}`);
  return (body as { readonly status: string }).status;
}
