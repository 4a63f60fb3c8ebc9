import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { followTopics, type Following, type LiveMessage } from "#actors/ingress/web/follow-topics.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { insist, place, stockUp, untilOrder } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const LIFE = ["placed", "reserved", "paid", "shipped", "delivered"];

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

/** What a client has heard of orders: their statuses by id, each as often as it came. */
class Watcher implements Disposable {
  readonly gaps: string[] = [];
  readonly ids: string[] = [];
  readonly #lives = new Map<string, string[]>();
  readonly #following: Following;
  heard = 0;

  constructor(address: string, topics: readonly string[]) {
    this.#following = followTopics(socketOf(address), topics, {
      retryMs: 50,
      onMessage: (message) => this.#hear(message),
      onGap: (missing) => void this.gaps.push(...missing),
    });
  }

  life(id: string): readonly string[] {
    return this.#lives.get(id) ?? [];
  }

  moveTo(address: string): void {
    this.#following.moveTo(socketOf(address));
  }

  [Symbol.dispose](): void {
    this.#following.close();
  }

  #hear({ id, data }: LiveMessage): void {
    const { orderId, status } = data as { orderId: string; status: string };
    this.heard++;
    this.ids.push(id);
    this.#lives.set(orderId, [...(this.#lives.get(orderId) ?? []), status]);
  }
}

const socketOf = (address: string): string => `${address.replace("http", "ws")}/ws`;

/** Places orders of an amount until the watcher hears of one: then it certainly follows. */
async function untilFollowing(app: AppProcess, watcher: Watcher): Promise<void> {
  await eventually("the socket follows", 30_000, async () => {
    await place(app, "WATCH-0", 1).catch(() => undefined);
    return watcher.heard > 0;
  });
}

test("an order placed through one process is seen through the other, every status in order", async () => {
  const [one, two] = [await harness.start().ready(), await harness.start().ready()];
  await stockUp(one, "WATCH-0", 1_000);
  using watcher = new Watcher(await two.listening(), ["orders"]);
  await untilFollowing(one, watcher);
  const ids = await Promise.all(Array.from({ length: 10 }, () => place(one, "WATCH-0", 1)));
  for (const id of ids) {
    await untilOrder(one, id, "delivered");
    await eventually(`the last status of ${id} came`, 10_000, async () => watcher.life(id).includes("delivered"));
    expect([id, watcher.life(id)]).toEqual([id, LIFE]);
  }
  expect(watcher.gaps).toEqual([]);

  // A planned stop closes sockets so that clients go on elsewhere, and the watcher does not notice.
  const before = watcher.heard;
  expect(await two.stop()).toBe(0);
  watcher.moveTo(await one.listening());
  const id = await place(one, "WATCH-0", 1);
  await untilOrder(one, id, "delivered");
  await eventually("the life of the order came", 10_000, async () => watcher.life(id).length === LIFE.length);
  expect(watcher.heard).toBeGreaterThan(before);
  expect(await one.stop()).toBe(0);
}, 240_000);

test("the process a client is connected to is killed, and at the other one it misses and repeats nothing", async () => {
  const [one, two] = [await harness.start().ready(), await harness.start().ready()];
  await stockUp(one, "WATCH-1", 1_000);
  await stockUp(one, "WATCH-0", 1_000);
  using watcher = new Watcher(await two.listening(), ["orders"]);
  await untilFollowing(one, watcher);

  const keys = Array.from({ length: 80 }, (_, i) => `watch-${i}`);
  const waiting = [...keys];
  const ids: string[] = [];
  const client = async (): Promise<void> => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      const body = { customerId: "w", lines: [{ sku: "WATCH-1", quantity: 1 }] };
      const answer = await insist(() => one.post("/orders", body, { "idempotency-key": key }), 60_000);
      ids.push((answer.body as { orderId: string }).orderId);
    }
  };
  const placing = Promise.all(Array.from({ length: 4 }, client));
  await eventually("some are placed", 60_000, async () => ids.length >= 25);
  await two.kill();
  watcher.moveTo(await one.listening());
  await placing;
  for (const id of ids) {
    await untilOrder(one, id, "delivered");
    await eventually(`the last status of ${id} came`, 20_000, async () => watcher.life(id).includes("delivered"));
    expect([id, watcher.life(id)]).toEqual([id, LIFE]);
  }
  expect(watcher.gaps).toEqual([]);
  expect(new Set(watcher.ids).size).toBe(watcher.ids.length);
  await one.stop();
}, 300_000);
