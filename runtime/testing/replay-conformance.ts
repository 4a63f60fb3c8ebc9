/** What two nodes of one store promise about its dead letters, as tests to be run with every store: one alone acts on a dead letter. */
import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import { partitionOf } from "../message/address.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { Troupe } from "../node/troupe.ts";
import type { PublishResult, Sink } from "../ports/sink.ts";
import type { DeadLetter, OutboxRecord, Store } from "../ports/store.ts";
import type { SharedStoreFixture } from "./control-conformance.ts";
import { localNetwork } from "./local-network.ts";
import type { TestTools } from "./store-conformance.ts";

/**
 * Runs the suite; `make` gives an empty database each time.
 *
 * @example
 * ```ts
 * replayConformance("memory", async () => {
 *   const shared = memory();
 *   return { store: () => shared, [Symbol.asyncDispose]: async () => {} };
 * }, { test, expect });
 * ```
 */
export function replayConformance(
  name: string,
  make: () => Promise<SharedStoreFixture>,
  { test, expect }: TestTools,
): void {
  const scenario = (title: string, run: (nodes: Nodes) => Promise<void>): void => {
    test(`dead letters of two nodes on the ${name} store: ${title}`, async () => {
      await using fixture = await make();
      await using nodes = await twoNodes(fixture);
      await run(nodes);
    });
  };
  const inOrder = (taken: readonly string[], key: number): boolean => {
    const numbers = taken.filter((text) => text.startsWith(`k${key} `)).map((text) => Number(text.split(" ")[1]));
    return numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number));
  };

  scenario(
    "two replays at once deliver each letter once, in the order of its key",
    async ({ one, two, broker, record }) => {
      await record(400, 40);
      await Promise.all([one, two, one].map((node) => replayAll(node)));
      expect(broker.taken.length).toBe(400);
      expect(new Set(broker.taken).size).toBe(400);
      for (let key = 0; key < 40; key++) expect([key, inOrder(broker.taken, key)]).toEqual([key, true]);
      expect((await one.deadLetters.list()).items).toEqual([]);
    },
  );

  scenario(
    "a letter that was dropped is not delivered, and one that was delivered is not dropped",
    async ({ one, two, broker, record }) => {
      const ids = await record(300, 30);
      const dropped: string[] = [];
      const drop = async (): Promise<void> => {
        for (const id of ids.filter((_, i) => i % 3 === 0).toReversed())
          if (await two.deadLetters.drop(id)) dropped.push(id);
      };
      await Promise.all([replayAll(one), drop()]);
      await replayAll(one);
      const delivered = new Set(broker.taken.map((text) => `l${text.split(" ")[1]}`));
      expect(broker.taken.length).toBe(delivered.size);
      expect(dropped.filter((id) => delivered.has(id))).toEqual([]);
      expect(dropped.length + delivered.size).toBe(300);
    },
  );

  scenario(
    "a single replay, an edit and a drop of one letter act one after the other",
    async ({ one, two, broker, record }) => {
      for (let round = 0; round < 10; round++) {
        const [id = ""] = await record(1, 1);
        const before = broker.taken.length;
        const [replayed, again, edited, dropped] = await Promise.all([
          one.deadLetters.replay(id),
          two.deadLetters.replay(id),
          two.deadLetters.edit(id, () => "edited"),
          one.deadLetters.drop(id),
        ]);
        const times = broker.taken.length - before;
        expect((replayed?.replayed.length ?? 0) + (again?.replayed.length ?? 0)).toBe(times);
        expect(times + (dropped ? 1 : 0)).toBe(1);
        // An edit that came first is what was delivered.
        if (times === 1 && broker.taken.at(-1) === "edited") expect(edited === undefined).toBe(false);
        expect(await one.deadLetters.get(id)).toBe(undefined);
      }
    },
  );

  scenario("the claims of a node that is gone run out", async ({ store, one, broker, record }) => {
    await record(10, 2);
    expect((await store.claimDeadLetterKeys(["broker:k0"], "a node that died", 1_000)).length).toBe(1);
    await replayAll(one);
    expect(broker.taken.length).toBe(10);
  });
}

interface Nodes extends AsyncDisposable {
  readonly store: Store;
  readonly one: Troupe;
  readonly two: Troupe;
  readonly broker: Broker;
  /** Records `count` dead letters over `keys` keys. Their ids, `l0` first. */
  record(count: number, keys: number): Promise<readonly string[]>;
}

async function twoNodes(fixture: SharedStoreFixture): Promise<Nodes> {
  const broker = new Broker();
  const network = localNetwork();
  const start = () =>
    createTroupe({
      actors: [Clerk],
      stores: { default: fixture.store() },
      sinks: [broker.sink()],
      transport: network.transport(),
    });
  const [one, two] = [await start(), await start()];
  const store = fixture.store();
  await store.open();
  return {
    ...{ store, one, two, broker },
    async record(count, keys) {
      const letters = Array.from({ length: count }, (_, n) => letter(n, `k${n % keys}`));
      await store.recordDeadLetters(letters);
      return letters.map(({ id }) => id);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([two.stop(), one.stop()]);
      await store.close();
    },
  };
}

/** In steps, as a replay that outlives its node does. */
async function replayAll(node: Troupe): Promise<void> {
  for (let from: string | undefined; ;) {
    const step = await node.deadLetters.replaySome({}, { limit: 70, ...(from === undefined ? {} : { from }) });
    if (step.next === undefined) return;
    from = step.next;
  }
}

const Clerk = actor("clerk", {
  state: v.object({}),
  initial: () => ({}),
  emits: { "clerk.noted.v1": v.string() },
  messages: ({ command }) => ({ note: command({ in: v.string() }, (c, text) => c.emit("clerk.noted.v1", text)) }),
});

/** A broker that recognises no repeat: whatever is delivered twice is seen. */
class Broker {
  readonly taken: string[] = [];

  sink(): Sink {
    return {
      name: "broker",
      accepts: "event",
      lane: { kind: "batch", maxBatch: 10 },
      publish: async (records): Promise<readonly PublishResult[]> => {
        // A delivery takes a moment, in which others run.
        await new Promise((resolve) => setTimeout(resolve, 1));
        this.taken.push(...records.map(({ body }) => JSON.parse(body) as string));
        return records.map(() => ({ kind: "acked" }));
      },
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }
}

function letter(n: number, key: string): DeadLetter {
  const record: OutboxRecord = {
    partition: partitionOf("clerk", key),
    seq: 0,
    kind: "event",
    id: `evt_${n}`,
    name: "clerk.noted.v1",
    actor: { type: "clerk", key },
    target: key,
    body: JSON.stringify(`${key} ${n}`),
    at: 1,
    traceparent: undefined,
  };
  return {
    id: `l${n}`,
    reason: "broker",
    detail: "d",
    target: "broker",
    attempts: 1,
    record: JSON.stringify(record),
    at: 1,
    type: "clerk.noted.v1",
    key: `broker:${key}`,
  };
}
