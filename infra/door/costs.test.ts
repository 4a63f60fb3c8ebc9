/**
 * What a call through a door costs in objects, and a change for each who watches: the same number on every machine. Lower a bound
 * whenever you can.
 */
import { heapStats } from "bun:jsc";
import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";
import { actorHandler, type DoorSession } from "./mod.ts";

setDefaultTimeout(60_000);

const Counter = actor("counter", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  messages: ({ command }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => (c.state.n += by)),
  }),
});

const AT_ONCE = 64;
const ROUNDS = 16;
const BODY = '{"by":1}';

/** Objects on the heap, dead ones that were not collected yet among them. */
function objects(): number {
  return Object.values(heapStats().objectTypeCounts).reduce((sum, count) => sum + count, 0);
}

/** How many objects a round makes for each of its `many`: the second of some tries, as a collection takes some away and a timer adds some. */
async function objectsPer(many: number, round: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < ROUNDS; i++) await round();
  const counts: number[] = [];
  for (let tries = 0; tries < 9; tries++) {
    Bun.gc(true);
    const before = objects();
    for (let i = 0; i < ROUNDS; i++) await round();
    counts.push((objects() - before) / (ROUNDS * many));
  }
  return counts.toSorted((one, other) => one - other)[1] ?? 0;
}

async function open() {
  const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
  return {
    troupe,
    door,
    async [Symbol.asyncDispose]() {
      door.close();
      await troupe.stop();
    },
  };
}

/** A session without a connection: `sent` hears each frame. */
function sessionOf(door: ReturnType<typeof actorHandler>, sent: (text: string) => void): DoorSession {
  return door.session(new Request("http://x/socket"), { send: sent, close: () => undefined, unreadBytes: () => 0 });
}

test("a call makes few objects beside those of its turn, over HTTP and over a socket", async () => {
  await using bench = await open();
  const { troupe, door } = bench;
  const headers = { "content-type": "application/json", "content-length": String(BODY.length) };
  const keys = Array.from({ length: AT_ONCE }, (_, i) => `k${i}`);
  const direct = await objectsPer(AT_ONCE, () =>
    Promise.all(keys.map((key) => troupe.ref(Counter, key).add({ by: 1 }))),
  );
  const http = await objectsPer(AT_ONCE, () =>
    Promise.all(
      keys.map(async (key) => {
        const { status } = await door(
          new Request(`http://x/counter/${key}/add`, { method: "POST", headers, body: BODY }),
        );
        if (status !== 200) throw new Error(String(status));
      }),
    ),
  );
  let answered = 0;
  let all: () => void = () => undefined;
  const session = sessionOf(door, () => void (++answered % AT_ONCE === 0 && all()));
  let id = 0;
  const socket = await objectsPer(AT_ONCE, () => {
    const done = new Promise<void>((resolve) => (all = resolve));
    for (const key of keys) session.message(`{"id":${id++},"call":["counter","${key}","add"],"input":${BODY}}`);
    return done;
  });
  const made = { http: http - direct, socket: socket - direct };
  const most = { http: 78, socket: 33 };
  const over = Object.entries(made).filter(([way, count]) => count > most[way as keyof typeof made]);
  expect(over).toEqual([]);
});

test("a change makes few objects for each who watches", async () => {
  await using bench = await open();
  const { troupe, door } = bench;
  let heard = 0;
  let all: () => void = () => undefined;
  const sessions = Array.from({ length: 8 }, () => {
    const session = sessionOf(door, (text) => {
      const id = /^\{"id":(\d+),"at"/u.exec(text)?.[1];
      if (id === undefined) return;
      heard++;
      session.message(`{"id":${id},"take":1}`);
      if (heard % (8 * AT_ONCE) === 0) all();
    });
    return session;
  });
  const first = new Promise<void>((resolve) => (all = resolve));
  for (const session of sessions)
    for (let id = 0; id < AT_ONCE; id++) session.message(`{"id":${id},"watch":["counter","watched"]}`);
  await first;
  const made = await objectsPer(8 * AT_ONCE, async () => {
    const done = new Promise<void>((resolve) => (all = resolve));
    await troupe.ref(Counter, "watched").add({ by: 1 });
    await done;
  });
  expect(made).toBeLessThan(34);
});
