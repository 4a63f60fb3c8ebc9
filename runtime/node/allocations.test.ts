/**
 * What a message costs in objects. Objects are what the hot path is slow by, and their number is the same on every machine: a
 * change that adds some turns this red, where a time would only waver. Lower a bound whenever you can.
 */
import { heapStats } from "bun:jsc";
import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Troupe } from "#runtime";

const Counter = actor("counter", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  emits: { "counter.added.v1": v.object({ by: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => (c.state.n += by)),
    addLater: command({ in: v.object({ by: v.number() }), out: v.number() }, async (c, { by }) => (c.state.n += by)),
    emit: command({ in: v.object({ by: v.number() }) }, (c, { by }) => {
      c.state.n += by;
      c.emit("counter.added.v1", { by });
    }),
    n: query({ out: v.number() }, (c) => c.state.n),
  }),
});

setDefaultTimeout(60_000);

/** So many at once, each of another actor: a batch as busy callers make it. */
const AT_ONCE = 64;
const ROUNDS = 16;
const INPUT = { by: 1 };

async function start(): Promise<Troupe> {
  return createTroupe({ actors: [Counter], stores: { default: memory() } });
}

/** Objects on the heap, dead ones that were not collected yet among them. */
function objects(): number {
  return Object.values(heapStats().objectTypeCounts).reduce((sum, count) => sum + count, 0);
}

/**
 * How many objects one message makes: the middle of some rounds. A collection in the midst of one takes some away, and what
 * the node does beside it adds some.
 */
async function objectsPer(round: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < ROUNDS; i++) await round();
  const counts: number[] = [];
  for (let tries = 0; tries < 5; tries++) {
    Bun.gc(true);
    const before = objects();
    for (let i = 0; i < ROUNDS; i++) await round();
    counts.push((objects() - before) / (ROUNDS * AT_ONCE));
  }
  return counts.toSorted((one, other) => one - other)[2] ?? 0;
}

const keys = Array.from({ length: AT_ONCE }, (_, i) => `k${i}`);

test("a message to an actor in memory makes few objects: asked, told, with an event, with an id, awaited, and as a query", async () => {
  await using troupe = await start();
  const refs = keys.map((key) => troupe.ref(Counter, key));
  const tells = keys.map((key) => troupe.tell(Counter, key));
  let next = 0;
  const all = (send: (ref: (typeof refs)[number]) => Promise<unknown>) => () => Promise.all(refs.map(send));
  const made = {
    ask: await objectsPer(all((ref) => ref.add(INPUT))),
    tell: await objectsPer(async () => {
      for (const tell of tells) tell.add(INPUT);
      await refs[0]?.n(); // the turns told before it are durable then
    }),
    event: await objectsPer(all((ref) => ref.emit(INPUT))),
    id: await objectsPer(all((ref) => ref.add(INPUT, { id: `m${next++}` }))),
    awaited: await objectsPer(all((ref) => ref.addLater(INPUT))),
    query: await objectsPer(all((ref) => ref.n())),
  };
  const most = { ask: 23.2, tell: 19.8, event: 41.5, id: 37, awaited: 31, query: 18 };
  const over = Object.entries(made).filter(([kind, count]) => count > most[kind as keyof typeof made]);
  expect(over).toEqual([]);
});

test("an actor that comes into memory makes few objects, and keeps fewer", async () => {
  await using troupe = await start();
  let next = 0;
  const bring = (): Promise<unknown> =>
    Promise.all(Array.from({ length: AT_ONCE }, () => troupe.ref(Counter, `new${next++}`).add(INPUT)));
  const made = await objectsPer(bring);
  Bun.gc(true);
  const before = objects();
  for (let i = 0; i < ROUNDS; i++) await bring();
  Bun.gc(true);
  const kept = (objects() - before) / (ROUNDS * AT_ONCE);
  expect([made < 104, kept < 19]).toEqual([true, true]);
});
