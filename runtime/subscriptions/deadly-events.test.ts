import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import { subscription } from "../actor/subscription.ts";
import { memory } from "../memory/memory-store.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { SourceSubscription } from "../ports/source.ts";
import type { Store } from "../ports/store.ts";
import { until } from "../testing/until.ts";

setDefaultTimeout(60_000);

/** A process that dies is one whose store never answers it again. */
class Process {
  alive = true;
  readonly store: Store;

  constructor(inner: Store) {
    this.store = new Proxy(inner, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          this.alive ? (value.apply(target, args) as unknown) : new Promise(() => undefined);
      },
    });
  }
}

test("an event that kills every process that runs it becomes a dead letter, and the events beside it are handled", async () => {
  const shared = memory();
  let current: Process | undefined;
  let deaths = 0;
  const Tally = actor("tally", {
    state: v.object({ seen: v.array(v.string()) }),
    initial: () => ({ seen: [] }),
    messages: ({ command }) => ({
      note: command({ in: v.string() }, (c, word): void | Promise<void> => {
        if (word === "deadly") {
          deaths++;
          if (current !== undefined) current.alive = false;
          return new Promise<void>(() => undefined);
        }
        c.state.seen.push(word);
      }),
    }),
    subscribe: {
      "word.said.v1": subscription(v.object({ word: v.string() }), {
        to: ({ subject }) => subject,
        send: "note",
        with: ({ data: { word } }) => word,
      }),
    },
  });
  // What a broker has: it gives whatever was not taken to the next consumer, in order.
  const words = ["deadly", "after it"];
  const open = new Map<string, { readonly body: string }>(
    [...words.map((word) => ["a", word]), ["b", "beside it"]].map(([subject, word], i) => [
      `evt_${i}`,
      // Of a clock that is far ahead: what is old is not told by its time alone.
      {
        body: JSON.stringify({
          ...{ specversion: "1.0", id: `evt_${i}`, source: `/x/${subject}`, type: "word.said.v1", subject },
          time: "2999-01-01T00:00:00Z",
          data: { word },
        }),
      },
    ]),
  );
  const troupes: { stop(timeoutMs?: number): Promise<void> }[] = [];
  while (open.size > 0 && deaths <= 5) {
    const process = new Process(shared);
    current = process;
    const consumers: SourceSubscription[] = [];
    const troupe = await createTroupe({
      actors: [Tally],
      stores: { default: process.store },
      leaseMs: 150,
      sources: {
        default: {
          name: "hand",
          start(wanted) {
            consumers.push(wanted);
            return { stop: async () => undefined, lag: async () => 0 };
          },
          check: async () => undefined,
        },
      },
    });
    troupes.push(troupe);
    await until(
      () => consumers.length,
      (count) => count > 0,
    );
    for (const [id, message] of open) {
      void consumers[0]?.handle(message).then((handled) => {
        if (process.alive && handled === "taken") open.delete(id);
      });
    }
    await until(
      () => !process.alive || open.size === 0,
      (ended) => ended,
    );
  }
  const kept = await shared.deadLetters({}, { after: 0, limit: 10 });
  expect(kept.map(({ id }) => id)).toEqual([expect.stringContaining("evt_0")]);
  expect(deaths).toBe(5);
  const [a, b] = await shared.load([
    { type: "tally", key: "a" },
    { type: "tally", key: "b" },
  ]);
  expect([a?.state, b?.state]).toEqual([`{"seen":["after it"]}`, `{"seen":["beside it"]}`]);
  await troupes.at(-1)?.stop();
  for (const troupe of troupes.slice(0, -1)) void troupe.stop(1);
});
