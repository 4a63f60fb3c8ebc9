import { expect, test } from "bun:test";
import * as v from "valibot";
import { eventually } from "#infra/testing/eventually.ts";
import { actor, createTroupe, type DeadLetter, type DeadLetters, memory, type Store, type Troupe } from "#runtime";
import { createRedrive, Redrive } from "./redrive.ts";

const ID = "rdr_00000000-0000-7000-8000-000000000001";
const WITHIN_MS = 10_000;

/** Notes what comes, in order, unless the text is in `broken`. */
const broken = new Set<string>();
const Clerk = actor("clerk", {
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] }),
  messages: ({ command, query }) => ({
    note: command({ in: v.string() }, (c, text) => {
      c.require(!broken.has(text), "broken");
      c.state.notes.push(text);
    }),
    notes: query({ out: v.array(v.string()) }, (c) => [...c.state.notes]),
  }),
});

/** A node whose redrives replay its own dead letters, or do what `replaySome` says first. */
async function node(store: Store, replaySome?: (own: DeadLetters) => DeadLetters["replaySome"]): Promise<Troupe> {
  const own: { troupe?: Troupe } = {};
  const redrive = createRedrive({
    summary: async (filter) => (await own.troupe?.deadLetters.summary(filter)) ?? [],
    async replaySome(filter, options) {
      if (own.troupe === undefined) throw new Error("not yet");
      const { deadLetters } = own.troupe;
      return await (replaySome?.(deadLetters) ?? ((f, o) => deadLetters.replaySome(f, o)))(filter, options);
    },
  });
  own.troupe = await createTroupe({ actors: [Clerk, redrive], stores: { default: store } });
  return own.troupe;
}

function letter(key: string, text: string): DeadLetter {
  const id = `${key}-${text}`;
  const record = {
    partition: 0,
    seq: 0,
    kind: "send",
    id,
    name: "note",
    actor: { type: "test", key: "t" },
    target: `clerk/${key}`,
    body: JSON.stringify(text),
    at: 1,
  };
  return {
    id,
    reason: "poison",
    detail: "d",
    target: `clerk/${key}`,
    attempts: 1,
    record: JSON.stringify(record),
    at: 1,
    type: "clerk",
    key: `clerk/${key}`,
  };
}

async function record(troupe: Troupe, keys: readonly string[], texts: readonly string[]): Promise<void> {
  for (const text of texts) for (const key of keys) await troupe.deadLetters.record("clerk", letter(key, text));
}

const begin = (troupe: Troupe, ratePerSecond = 10_000) => troupe.ref(Redrive, ID).start({ filter: {}, ratePerSecond });

const ended = (troupe: Troupe) =>
  eventually("it has ended", WITHIN_MS, async () => {
    const view = await troupe.ref(Redrive, ID).get();
    return view !== null && view.status !== "running" ? view : undefined;
  });

const TEXTS = Array.from({ length: 30 }, (_, i) => String(i));

test("a redrive goes through all letters, keeps the order of each key, and tells what came of it", async () => {
  await using troupe = await node(memory());
  await record(troupe, ["a", "b", "c"], TEXTS);
  broken.add("20");
  await troupe.deadLetters.edit("c-20", () => "twenty");
  // In several steps, of which each begins behind the one before.
  expect(await begin(troupe, 100)).toMatchObject({ id: ID, status: "running", endedAt: null });
  const view = await ended(troupe);
  broken.clear();
  expect(view).toMatchObject({ status: "completed", matching: 90, replayed: 70, failed: 2, heldUp: 18, detail: null });
  expect(view.failures.map(({ id }) => id).toSorted()).toEqual(["a-20", "b-20"]);
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(TEXTS.slice(0, 20));
  expect(await troupe.ref(Clerk, "c").notes()).toEqual(TEXTS.with(20, "twenty"));
  expect((await troupe.deadLetters.list()).items.length).toBe(20);
  expect(await begin(troupe).catch((error: Error) => error.message)).toContain("already_there");
});

test("a redrive goes on at the next node when its own ends on the way, and nothing takes effect twice", async () => {
  const store = memory();
  let steps = 0;
  const first = await node(store, (own) => async (filter, options) => {
    // One step does its work, and its outcome is lost with the node.
    if (++steps > 1) return await new Promise<never>(() => undefined);
    await own.replaySome(filter, options);
    throw new Error("lost");
  });
  await record(first, ["a", "b"], TEXTS);
  await begin(first, 40);
  await eventually("a step was made", WITHIN_MS, async () => steps > 1);
  await first.stop(0);
  const done = (await store.deadLetters({}, { after: 0, limit: 100 })).length;
  expect(done).toBeLessThan(60);
  await using second = await node(store);
  expect(await ended(second)).toMatchObject({ status: "completed", replayed: done, failed: 0 });
  for (const key of ["a", "b"]) expect(await second.ref(Clerk, key).notes()).toEqual(TEXTS);
});

test("a redrive that is stopped leaves the rest, and one that only fails stops itself", async () => {
  await using troupe = await node(memory());
  await record(troupe, ["a"], TEXTS);
  await begin(troupe, 1);
  await eventually("one has gone", WITHIN_MS, async () => (await troupe.ref(Clerk, "a").notes()).length === 1);
  expect(await troupe.ref(Redrive, ID).stop()).toMatchObject({ status: "stopped", detail: "It was told to" });
  expect(await troupe.ref(Redrive, ID).stop()).toMatchObject({ status: "stopped" });
  const other = `${ID.slice(0, -1)}2`;
  expect(troupe.ref(Redrive, other).stop()).rejects.toThrow("unknown_redrive");

  broken.add("x");
  const failing = Array.from({ length: 1_100 }, (_, i) => ({ ...letter(`k${i}`, "x"), type: "failing" }));
  await Promise.all(failing.map((one) => troupe.deadLetters.record("clerk", one)));
  await troupe.ref(Redrive, other).start({ filter: { type: "failing" }, ratePerSecond: 50_000 });
  const view = await eventually("it has given up", WITHIN_MS, async () => {
    const now = await troupe.ref(Redrive, other).get();
    return now?.status === "stopped" ? now : undefined;
  });
  broken.clear();
  expect(view.detail).toContain("failed one after the other");
  expect(view.failures.length).toBe(20);
});
