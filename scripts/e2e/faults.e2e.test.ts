import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import type { CloudEvent } from "./cloud-event.ts";
import { type Harness, openHarness } from "./harness.ts";
import { insist, level, stockUp, untilOrder } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const LIFE = ["order.placed.v1", "order.reserved.v1", "order.paid.v1", "order.shipped.v1", "order.delivered.v1"];
/** Longer than a node's lease (2.5 s): when the paused process wakes, its partitions are somebody else's. */
const PAUSE_MS = 6_000;

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

const placing = (app: () => AppProcess, key: string, sku: string) => (): Promise<Answer> =>
  app().post("/orders", { customerId: key, lines: [{ sku, quantity: 1 }] }, { "idempotency-key": key });
const orderIdOf = ({ status, body }: Answer): string => {
  if (status !== 201) throw new Error(`Expected 201, got ${status}: ${JSON.stringify(body)}`);
  return (body as { orderId: string }).orderId;
};

/** The order events of each order, each id once, where it came first. */
function livesIn(events: readonly CloudEvent[]): Map<string, string[]> {
  const seen = new Set<string>();
  const lives = new Map<string, string[]>();
  for (const { id, type, subject } of events) {
    if (!type.startsWith("order.") || seen.has(id)) continue;
    seen.add(id);
    lives.set(subject, [...(lives.get(subject) ?? []), type]);
  }
  return lives;
}

async function untilPublished(ids: readonly string[]): Promise<Map<string, string[]>> {
  return eventually("all events are published", 60_000, async () => {
    const lives = livesIn(await harness.natsEvents());
    return ids.every((id) => (lives.get(id)?.length ?? 0) >= LIFE.length) && lives;
  });
}

test("300 orders are delivered once each while the app is killed three times", async () => {
  const count = 300;
  let app = await harness.start().ready();
  await stockUp(app, "KILL-1", count);
  const keys = Array.from({ length: count }, (_, i) => `kill-${i}`);

  let placed = 0;
  const placeAll = (async () => {
    const ids: string[] = [];
    const waiting = [...keys];
    const client = async (): Promise<void> => {
      for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
        ids.push(
          orderIdOf(
            await insist(
              placing(() => app, key, "KILL-1"),
              120_000,
            ),
          ),
        );
        placed++;
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    return ids;
  })();

  for (const after of [60, 140, 220]) {
    await eventually(`${after} orders are placed`, 120_000, async () => placed >= after);
    await app.kill();
    app = harness.start();
    await app.listening();
  }
  const ids = await placeAll;
  expect(new Set(ids).size).toBe(count);
  await app.ready();
  for (const id of ids) await untilOrder(app, id, "delivered");
  expect(await level(app, "KILL-1")).toMatchObject({ onHand: 0, reserved: 0 });

  // A client that repeats every request hears the same again, and nothing is placed anew.
  const again = await Promise.all(keys.slice(0, 20).map((key) => placing(() => app, key, "KILL-1")()));
  expect(new Set([...ids, ...again.map(orderIdOf)]).size).toBe(count);

  const lives = await untilPublished(ids);
  for (const id of ids) expect([id, lives.get(id)]).toEqual([id, LIFE]);
  expect(await app.stop()).toBe(0);
}, 400_000);

test("a process that stood still longer than its lease writes nothing, and the other one goes on", async () => {
  const first = await harness.start().ready();
  await stockUp(first, "STOP-1", 100);
  const second = harness.start();
  await second.listening();

  // Some of these are under way in the process when it stops.
  const before = Array.from({ length: 20 }, (_, i) => placing(() => first, `stop-${i}`, "STOP-1"));
  const held = before.map((send) => send().catch(() => undefined));
  first.pause();
  const pausedAt = performance.now();
  const taken = await Promise.all(
    before.map((_, i) =>
      insist(
        placing(() => second, `stop-${i}`, "STOP-1"),
        60_000,
      ),
    ),
  );
  const ids = taken.map(orderIdOf);
  await eventually(
    "the pause was longer than a lease",
    PAUSE_MS * 2,
    async () => performance.now() - pausedAt > PAUSE_MS,
  );
  first.resume();

  // Whatever the woken process still answers agrees with what the other one answered meanwhile.
  for (const [i, answer] of (await Promise.all(held)).entries()) {
    if (answer?.status === 201) expect(orderIdOf(answer)).toBe(ids[i] ?? "");
    else expect(answer?.status ?? 503).toBeGreaterThanOrEqual(429);
  }
  // And it serves again, through the process that owns the actors now.
  const later = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      insist(
        placing(() => first, `later-${i}`, "STOP-1"),
        60_000,
      ),
    ),
  );
  ids.push(...later.map(orderIdOf));
  expect(new Set(ids).size).toBe(30);

  for (const id of ids) await untilOrder(second, id, "delivered");
  expect(await level(second, "STOP-1")).toMatchObject({ onHand: 70, reserved: 0 });
  const lives = await untilPublished(ids);
  for (const id of ids) expect([id, lives.get(id)]).toEqual([id, LIFE]);
}, 240_000);
