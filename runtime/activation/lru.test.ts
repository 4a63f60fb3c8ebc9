import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";
import type { LeaveReason } from "../actor/life.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { type LruEntry, ActorLru } from "./lru.ts";

class Guest implements LruEntry {
  readonly name: string;
  readonly idleMs: number;
  readonly #residents: ActorLru;
  readonly #left: string[];
  quiet = true;
  lastUsed = 0;
  older: LruEntry | undefined;
  newer: LruEntry | undefined;

  constructor(name: string, residents: ActorLru, left: string[], idleMs = 1_000) {
    this.name = name;
    this.idleMs = idleMs;
    this.#residents = residents;
    this.#left = left;
  }

  leave(reason: LeaveReason): void {
    this.#residents.remove(this);
    this.#left.push(`${this.name} ${reason}`);
  }
}

function house(max: number) {
  const clock = new ManualClock();
  const residents = new ActorLru(max, clock);
  const left: string[] = [];
  const guests = new Map<string, Guest>();
  const add = (name: string, idleMs?: number): Guest => {
    const guest = new Guest(name, residents, left, idleMs);
    guests.set(name, guest);
    residents.add(guest);
    return guest;
  };
  return { clock, residents, left, add };
}

test("ActorLru.add() beyond the bound lets the one go that was not used for longest", () => {
  const { residents, left, add } = house(2);
  const a = add("a");
  add("b");
  residents.touch(a);
  add("c");
  expect(left).toEqual(["b memory"]);
  add("d");
  expect(left).toEqual(["b memory", "a memory"]);
  expect([residents.size, residents.evicted]).toEqual([2, 2]);
});

test("ActorLru.add() never lets a busy one go, and makes up for it when it can", () => {
  const { residents, left, add } = house(2);
  const a = add("a");
  const b = add("b");
  a.quiet = false;
  b.quiet = false;
  const c = add("c");
  c.quiet = false;
  expect([left, residents.size]).toEqual([[], 3]);
  a.quiet = true;
  b.quiet = true;
  add("d");
  expect(left.toSorted()).toEqual(["a memory", "b memory"]);
  expect(residents.size).toBe(2);
});

test("ActorLru.sweep() lets idle ones go, each by its own time, and trims what was too many", async () => {
  const { clock, residents, left, add } = house(9);
  add("long", 5_000);
  const busy = add("busy");
  busy.quiet = false;
  add("short");
  await clock.advance(500);
  add("young");
  await clock.advance(500);
  residents.sweep(1_000);
  expect(left).toEqual(["short idle"]);
  await clock.advance(4_000);
  busy.quiet = true;
  residents.sweep(1_000);
  expect(left).toEqual(["short idle", "long idle", "busy idle", "young idle"]);
  expect(residents.size).toBe(0);
});

test("ActorLru keeps its order whatever is touched and removed", () => {
  const { residents, left, add } = house(1_000);
  const guests = Array.from({ length: 10 }, (_, i) => add(`g${i}`));
  // The model: names in order of their last use.
  let order = guests.map((guest) => guest.name);
  let seed = 7;
  const next = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  for (let i = 0; i < 500; i++) {
    const name = order[next(order.length)] as string;
    residents.touch(guests.find((guest) => guest.name === name) as Guest);
    order = [...order.filter((other) => other !== name), name];
  }
  const gone = guests[3] as Guest;
  residents.remove(gone);
  order = order.filter((name) => name !== gone.name);
  residents.sweep(0);
  residents.sweep(Number.NEGATIVE_INFINITY);
  expect(left).toEqual([]);
  for (const guest of guests) Object.assign(guest, { idleMs: 0 });
  residents.sweep(0);
  expect(left).toEqual(order.map((name) => `${name} idle`));
});

test("a bound that is no whole number above 0 is refused", () => {
  for (const max of [0, -1, 1.5, Number.NaN]) expect(() => new ActorLru(max, new ManualClock())).toThrow(RangeError);
});

test("createTroupe({ maxActiveActors }) keeps memory bounded and loses nothing", async () => {
  const Counter = actor("counter", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    messages: ({ command, query }) => ({
      add: command({ out: v.number() }, (c) => ++c.state.count),
      value: query({ out: v.number() }, (c) => c.state.count),
    }),
  });
  await using troupe = await createTroupe({
    actors: [Counter],
    stores: { default: memory() },
    maxActiveActors: 10,
  });
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  for (const round of [1, 2, 3]) {
    for (const key of keys) expect(await troupe.ref(Counter, key).add()).toBe(round);
  }
  const { active, max, evicted } = troupe.status().actors;
  expect([active, max, evicted]).toEqual([10, 10, 290]);
  // What is used again and again stays, whoever comes by.
  for (let i = 0; i < 50; i++) {
    await troupe.ref(Counter, "k99").value();
    await troupe.ref(Counter, `passing${i}`).value();
  }
  expect(troupe.status().actors.evicted).toBe(340);
  await troupe.ref(Counter, "k99").value();
  expect(troupe.status().actors.evicted).toBe(340);
});

test("actors with a turn under way stay in memory beyond the bound", async () => {
  const gate = Promise.withResolvers<void>();
  const Slow = actor("slow", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    messages: ({ command }) => ({
      work: command({ out: v.number() }, async (c) => {
        await gate.promise;
        return ++c.state.count;
      }),
    }),
  });
  await using troupe = await createTroupe({ actors: [Slow], stores: { default: memory() }, maxActiveActors: 2 });
  const work = Array.from({ length: 5 }, (_, i) => troupe.ref(Slow, `k${i}`).work());
  expect(troupe.status().actors.active).toBe(5);
  gate.resolve();
  expect(await Promise.all(work)).toEqual([1, 1, 1, 1, 1]);
  expect(await troupe.ref(Slow, "k5").work()).toBe(1);
  expect(troupe.status().actors.active).toBe(2);
});
