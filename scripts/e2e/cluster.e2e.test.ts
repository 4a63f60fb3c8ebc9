import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { insist, level, stockUp } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const SKUS = ["ROLL-1", "ROLL-2", "ROLL-3", "ROLL-4", "ROLL-5", "ROLL-6"] as const;

interface Cluster {
  readonly nodes: readonly { readonly id: string; readonly owns: boolean; readonly address: string | null }[];
  readonly stores: readonly {
    readonly store: string;
    readonly partitions: readonly { readonly node: string | null }[];
  }[];
}

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness({ environment: { TROUPE_ROLES: "ingress,actors", TROUPE_STOP_GRACE: "500ms" } });
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

async function untilShared(app: AppProcess, nodes: number): Promise<void> {
  await eventually(`${nodes} nodes share every store`, 30_000, async () => {
    const { status, body } = await app.get("/actors");
    if (status !== 200) return undefined;
    return (body as Cluster).stores.every(({ partitions }) => {
      const owners = partitions.map(({ node }) => node);
      const counts = [...new Set(owners)].map((id) => owners.filter((owner) => owner === id).length);
      return !owners.includes(null) && counts.length === nodes && Math.max(...counts) - Math.min(...counts) <= 1;
    });
  });
}

/** A client that calls one process, and goes to the next when it is told to: what a load balancer does. */
async function client(
  apps: readonly (() => AppProcess)[],
  first: number,
  over: () => boolean,
  seen: string[],
): Promise<number> {
  let refilled = 0;
  let at = first;
  for (let n = 0; !over(); n++) {
    const app = (apps[at % apps.length] as () => AppProcess)();
    const sku = SKUS[n % SKUS.length] as string;
    let answer;
    try {
      answer = await app.post(`/stock/${sku}/refill`, { quantity: 1 });
    } catch (error) {
      // Nobody listens: nothing was sent, as a load balancer knows too. Anything else is a failed request.
      if ((error as { code?: string }).code === "ConnectionRefused") at++;
      else seen.push(String(error));
      continue;
    }
    if (answer.status === 200) refilled++;
    else seen.push(`${answer.status} ${JSON.stringify(answer.body)}`);
    if (answer.headers.get("connection") === "close") at++;
  }
  return refilled;
}

test("three processes share the partitions, and are restarted one after the other without a failed request", async () => {
  const apps = [harness.start(), harness.start(), harness.start()];
  for (const app of apps) await app.listening();
  const first = apps[0] as AppProcess;
  await insist(() => first.get("/actors"), 30_000);
  await untilShared(first, 3);
  for (const sku of SKUS) await stockUp(first, sku, 0);

  const failures: string[] = [];
  let over = false;
  const ways = apps.map((_, i) => (): AppProcess => apps[i] as AppProcess);
  const clients = Array.from({ length: 9 }, (_, i) => client(ways, i, () => over, failures));
  for (let i = 0; i < apps.length; i++) {
    const old = apps[i] as AppProcess;
    expect(await old.stop()).toBe(0);
    const next = harness.start();
    await next.listening();
    await insist(() => next.get("/actors"), 30_000);
    apps[i] = next;
    await untilShared(next, 3);
  }
  over = true;
  const refilled = (await Promise.all(clients)).reduce((a, b) => a + b);
  expect(failures).toEqual([]);
  expect(refilled).toBeGreaterThan(300);
  let onHand = 0;
  for (const sku of SKUS) onHand += (await level(apps[0] as AppProcess, sku)).onHand;
  expect(onHand).toBe(refilled);
}, 240_000);

test("a process without the actors role owns nothing and answers through those that do", async () => {
  const ingress = harness.start({ TROUPE_ROLES: "ingress" });
  await ingress.ready();
  await stockUp(ingress, "EDGE-1", 3);
  expect(await level(ingress, "EDGE-1")).toMatchObject({ onHand: 3 });
  const { nodes, stores } = (await ingress.get("/actors")).body as Cluster;
  const own = nodes.filter(({ owns }) => !owns);
  expect(own.map(({ address }) => address)).toContain(await ingress.listening());
  const owners = new Set(stores.flatMap(({ partitions }) => partitions.map(({ node }) => node)));
  for (const { id } of own) expect(owners.has(id)).toBe(false);
});
