import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type OutboxRecord, type PublishResult, type Sink, type Troupe } from "#runtime";
import { until } from "../testing/until.ts";

/** Texts whose notes throw. */
const broken = new Set<string>();
/** The attempts that were told when a note threw. */
const attempts: number[] = [];

const Clerk = actor("clerk", {
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] }),
  emits: { "clerk.noted.v1": v.string() },
  poison: { after: 2 },
  messages: ({ command, query }) => ({
    note: command({ in: v.string() }, (c, text) => {
      if (broken.has(text)) {
        attempts.push(c.attempt);
        throw new Error("secret");
      }
      c.state.notes.push(text);
    }),
    noteLater: command({ in: v.string() }, (c, text) => c.timers.set("later", { in: 50, send: "note", with: text })),
    emit: command({ in: v.array(v.string()) }, (c, texts) => {
      for (const text of texts) c.emit("clerk.noted.v1", text);
    }),
    refuse: command({}, (c) => c.refuse("never")),
    notes: query({ out: v.array(v.string()) }, (c) => [...c.state.notes]),
  }),
});

const Sender = actor("sender", {
  state: v.object({}),
  initial: () => ({}),
  messages: ({ command }) => ({
    send: command({ in: v.object({ to: v.array(v.string()), texts: v.array(v.string()) }) }, (c, { to, texts }) => {
      for (const text of texts) for (const key of to) c.send(Clerk, key, "note", text);
    }),
    sendRefused: command({ in: v.string() }, (c, to) => c.send(Clerk, to, "refuse")),
  }),
});

/** A sink that refuses what `refuses` names, and keeps what it takes. */
class Broker implements Sink {
  readonly name = "broker";
  readonly accepts = "event";
  readonly lane = { kind: "batch", maxBatch: 10 } as const;
  readonly taken: string[] = [];
  refuses = new Set<string>();

  async publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    return records.map(({ body }): PublishResult => {
      const text = JSON.parse(body) as string;
      if (this.refuses.has(text)) return { kind: "refused", detail: "too large" };
      this.taken.push(text);
      return { kind: "acked" };
    });
  }

  check = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
}

const start = (sinks: readonly Sink[] = []): Promise<Troupe> =>
  createTroupe({ actors: [Clerk, Sender], stores: { default: memory() }, sinks });

const letters = (troupe: Troupe, count: number) =>
  until(
    async () => (await troupe.deadLetters.list()).items,
    (items) => items.length === count,
  );

const notes = (troupe: Troupe, key: string, count: number) =>
  until(
    () => troupe.ref(Clerk, key).notes(),
    (all) => all.length === count,
  );

test("a message that always throws is set aside alone: other targets go on, and the order of each pair is kept", async () => {
  await using troupe = await start();
  broken.add("2");
  await troupe.ref(Sender, "s").send({ to: ["a", "b"], texts: ["1", "2", "3"] });
  expect(await notes(troupe, "a", 2)).toEqual(["1", "3"]);
  expect(await notes(troupe, "b", 2)).toEqual(["1", "3"]);
  const items = await letters(troupe, 2);
  const seen = items.map(({ reason, key, attempts, detail }) => `${reason} ${key} ${attempts}: ${detail}`);
  expect(new Set(seen)).toEqual(
    new Set([
      "poison clerk/a 2: Cannot handle note for clerk/a as its handler failed",
      "poison clerk/b 2: Cannot handle note for clerk/b as its handler failed",
    ]),
  );
  expect(items.map((letter) => letter.type)).toEqual(["clerk", "clerk"]);
  broken.clear();
});

test("a letter that takes effect is removed, and the message acts once however often it is replayed", async () => {
  await using troupe = await start();
  broken.add("x");
  attempts.length = 0;
  await troupe.ref(Sender, "s").send({ to: ["a"], texts: ["x"] });
  const id = (await letters(troupe, 1))[0]?.id ?? "";
  expect(attempts).toEqual([1, 2]);
  expect(await troupe.deadLetters.replay(id)).toEqual({
    replayed: [],
    failed: [{ id, detail: "Cannot handle note for clerk/a as its handler failed" }],
  });
  expect((await troupe.deadLetters.get(id))?.attempts).toBe(2);
  broken.clear();
  await Promise.all([troupe.deadLetters.replay(id), troupe.deadLetters.replay(id)]);
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(["x"]);
  expect(await troupe.deadLetters.get(id)).toBeUndefined();
  expect(await troupe.deadLetters.replay(id)).toBeUndefined();
});

test("replaying a letter takes the older ones of its key first, and stops at one that fails", async () => {
  await using troupe = await start();
  for (const text of ["1", "2", "3"]) broken.add(text);
  await troupe.ref(Sender, "s").send({ to: ["a"], texts: ["1", "2", "3"] });
  const items = await letters(troupe, 3);
  const ids = items.map((letter) => letter.id);
  broken.delete("1");
  broken.delete("3");
  const stopped = await troupe.deadLetters.replay(ids[2] ?? "");
  expect(stopped?.replayed).toEqual([ids[0] ?? ""]);
  expect(stopped?.failed.map(({ id }) => id)).toEqual([ids[1] ?? ""]);
  broken.clear();
  await troupe.deadLetters.replay(ids[2] ?? "");
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(["1", "2", "3"]);
  expect((await troupe.deadLetters.list()).items).toEqual([]);
});

test("replayAll() keeps the order of each key, and a key that fails holds up no other", async () => {
  await using troupe = await start();
  for (const text of ["1", "2", "3"]) broken.add(text);
  await troupe.ref(Sender, "s").send({ to: ["a", "b"], texts: ["1", "2", "3"] });
  await troupe.ref(Clerk, "c").noteLater("1");
  await letters(troupe, 7);
  broken.clear();
  await troupe.pause("clerk", "b", "not yet");
  const outcome = await troupe.deadLetters.replayAll({ reason: "poison", type: "clerk" }, { ratePerSecond: 1_000 });
  expect(outcome.replayed.length).toBe(4);
  expect(outcome.failed.map(({ detail }) => detail.includes("it is paused"))).toEqual([true]);
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(["1", "2", "3"]);
  expect(await troupe.ref(Clerk, "b").notes()).toEqual([]);
  expect(await troupe.ref(Clerk, "c").notes()).toEqual(["1"]);
  expect((await troupe.deadLetters.list()).items.map((letter) => letter.key)).toEqual([
    "clerk/b",
    "clerk/b",
    "clerk/b",
  ]);
});

test("replayAll() keeps to its rate, and ends when it is told to", async () => {
  await using troupe = await start();
  for (const text of ["1", "2", "3"]) broken.add(text);
  await troupe.ref(Sender, "s").send({ to: ["a"], texts: ["1", "2", "3"] });
  await letters(troupe, 3);
  broken.clear();
  const begun = performance.now();
  const controller = new AbortController();
  const run = troupe.deadLetters.replayAll({}, { ratePerSecond: 20, signal: controller.signal });
  await notes(troupe, "a", 2);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(45);
  controller.abort();
  expect((await run).replayed.length).toBe(2);
  expect((await troupe.deadLetters.list()).items.length).toBe(1);
});

test("a record that a broker refused goes back to that broker, and stays when it is refused again", async () => {
  const broker = new Broker();
  await using troupe = await start([broker]);
  broker.refuses.add("2");
  await troupe.ref(Clerk, "a").emit(["1", "2", "3"]);
  const [letter] = await letters(troupe, 1);
  expect([letter?.reason, letter?.type, letter?.target, letter?.key]).toEqual([
    "broker",
    "clerk.noted.v1",
    "broker",
    "broker:a",
  ]);
  const id = letter?.id ?? "";
  expect(await troupe.deadLetters.replay(id)).toEqual({ replayed: [], failed: [{ id, detail: "too large" }] });
  broker.refuses.clear();
  expect(await troupe.deadLetters.replay(id)).toEqual({ replayed: [id], failed: [] });
  expect(broker.taken).toEqual(["1", "3", "2"]);
  expect(await troupe.deadLetters.get(id)).toBeUndefined();
});

test("a message that its actor refuses is a dead letter at once", async () => {
  await using troupe = await start();
  await troupe.ref(Sender, "s").sendRefused("a");
  const [letter] = await letters(troupe, 1);
  expect([letter?.attempts, letter?.detail]).toEqual([1, "Refused: never"]);
});

test("what an actor has refused is not asked again by the next owner, though no cursor was saved", async () => {
  const store = memory();
  store.saveCursors = async () => undefined;
  const first = await createTroupe({ actors: [Clerk, Sender], stores: { default: store } });
  broken.add("early");
  await first.ref(Sender, "s").send({ to: ["a"], texts: ["early"] });
  const [letter] = await letters(first, 1);
  await first.ref(Sender, "s").send({ to: ["a"], texts: ["late"] });
  await notes(first, "a", 1);
  await first.stop();
  broken.delete("early");

  await using second = await createTroupe({ actors: [Clerk, Sender], stores: { default: store } });
  await second.ref(Sender, "s").send({ to: ["a"], texts: ["last"] });
  expect(await notes(second, "a", 2)).toEqual(["late", "last"]);
  // It comes when somebody says so, and once.
  await second.deadLetters.replay(letter?.id ?? "");
  expect(await notes(second, "a", 3)).toEqual(["late", "last", "early"]);
});

test("list() gives pages, and drop() removes for good", async () => {
  await using troupe = await start();
  for (const text of ["1", "2", "3"]) broken.add(text);
  await troupe.ref(Sender, "s").send({ to: ["a"], texts: ["1", "2", "3"] });
  await letters(troupe, 3);
  broken.clear();
  const first = await troupe.deadLetters.list({ limit: 2 });
  expect(first.items.length).toBe(2);
  const second = await troupe.deadLetters.list({ limit: 2, ...(first.next !== undefined && { after: first.next }) });
  expect([second.items.length, second.next]).toEqual([1, undefined]);
  expect((await troupe.deadLetters.list({ type: "other" })).items).toEqual([]);
  expect(await troupe.deadLetters.drop(second.items[0]?.id ?? "")).toBe(true);
  expect(await troupe.deadLetters.drop(second.items[0]?.id ?? "")).toBe(false);
  expect((await troupe.deadLetters.list()).items.length).toBe(2);
  expect(troupe.deadLetters.list({ after: "nonsense" })).rejects.toBeInstanceOf(TypeError);
});

test("a node stops at once though messages wait for a paused actor", async () => {
  const troupe = await start();
  await troupe.pause("clerk", "a", "r");
  await troupe.ref(Sender, "s").send({ to: ["a"], texts: ["1", "2"] });
  const begun = performance.now();
  await troupe.stop();
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test("more messages for a paused actor than memory should hold stop no other actor", async () => {
  await using troupe = await start();
  await troupe.pause("clerk", "a", "r");
  const texts = Array.from({ length: 9_000 }, (_, i) => String(i));
  for (let i = 0; i < 3; i++) await troupe.ref(Sender, "s").send({ to: ["a"], texts });
  await troupe.ref(Sender, "s").send({ to: ["b"], texts: ["x"] });
  expect(await notes(troupe, "b", 1)).toEqual(["x"]);
});

test("a timer whose message is no longer there becomes a dead letter", async () => {
  const store = memory();
  const before = await createTroupe({ actors: [Clerk], stores: { default: store } });
  await before.ref(Clerk, "a").noteLater("x");
  await before.stop();
  const Renamed = actor("clerk", {
    state: v.object({ notes: v.array(v.string()) }),
    initial: () => ({ notes: [] }),
    poison: { after: 1 },
    messages: ({ command }) => ({ write: command({}, () => undefined) }),
  });
  await using troupe = await createTroupe({ actors: [Renamed], stores: { default: store } });
  const [letter] = await letters(troupe, 1);
  expect(letter?.detail).toBe('Cannot find the message "note" of clerk');
});

/** Sends each text to each of the clerks, whose notes of them fail. */
async function failed(troupe: Troupe, to: readonly string[], texts: readonly string[]): Promise<void> {
  for (const text of texts) broken.add(text);
  await troupe.ref(Sender, "s").send({ to: [...to], texts: [...texts] });
  await letters(troupe, to.length * texts.length);
}

test("replaySome() goes on where the step before ended, and keeps a key back behind its failed letter", async () => {
  await using troupe = await start();
  await failed(troupe, ["a", "b"], ["1", "2", "3"]);
  broken.delete("2");
  broken.delete("3");
  const steps: string[] = [];
  let from: string | undefined;
  do {
    const step = await troupe.deadLetters.replaySome({}, { limit: 1, ...(from !== undefined && { from }) });
    steps.push(`${step.replayed.length} ${step.failed.length} ${step.heldUp}`);
    from = step.next;
  } while (from !== undefined);
  // The first dead letter of each key fails; what is behind it is found to be held up in steps of their own.
  expect(steps.toSorted()).toEqual(["0 0 1", "0 0 1", "0 0 1", "0 0 1", "0 1 0", "0 1 0"]);
  broken.clear();
  const all = await troupe.deadLetters.replaySome({});
  expect([all.replayed.length, all.next]).toEqual([6, undefined]);
  for (const key of ["a", "b"]) expect(await troupe.ref(Clerk, key).notes()).toEqual(["1", "2", "3"]);
  expect(troupe.deadLetters.replaySome({}, { from: "nonsense" })).rejects.toBeInstanceOf(TypeError);
});

test("replaySome() leaves what is recorded after its first step to the next run", async () => {
  await using troupe = await start();
  await failed(troupe, ["a"], ["1", "2"]);
  broken.delete("1");
  broken.delete("2");
  const first = await troupe.deadLetters.replaySome({}, { limit: 1 });
  await failed(troupe, ["b"], ["3"]).catch(() => undefined);
  broken.clear();
  const second = await troupe.deadLetters.replaySome({}, first.next === undefined ? {} : { from: first.next });
  expect(second.next).toBeUndefined();
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(["1", "2"]);
  expect(await troupe.ref(Clerk, "b").notes()).toEqual([]);
});

test("replaySome() begins no letter after its time, and the next step begins with those", async () => {
  await using troupe = await start();
  await failed(troupe, ["a", "b"], ["1", "2"]);
  broken.clear();
  const none = await troupe.deadLetters.replaySome({}, { withinMs: 0 });
  expect([none.replayed.length, none.failed.length]).toEqual([0, 0]);
  const rest = await troupe.deadLetters.replaySome({}, { from: none.next ?? "" });
  expect(rest.replayed.length).toBe(4);
});

test("edit() changes what a replay gives back, and keeps the original and who changed it", async () => {
  await using troupe = await start();
  await failed(troupe, ["a"], ["wrong"]);
  const id = (await troupe.deadLetters.list()).items[0]?.id ?? "";
  const before = await troupe.deadLetters.get(id);
  await troupe.deadLetters.edit(id, (data) => `${String(data)}er`, "key_1");
  const edited = await troupe.deadLetters.edit(id, () => "right");
  expect(edited).toEqual(await troupe.deadLetters.get(id));
  expect(edited?.original).toBe(before?.record ?? "");
  expect(edited?.edits?.map(({ by }) => by)).toEqual(["key_1", undefined]);
  expect(await troupe.deadLetters.replay(id)).toMatchObject({ replayed: [id] });
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(["right"]);
  expect(await troupe.deadLetters.edit(id, () => "gone")).toBeUndefined();
  broken.clear();
});

test("edit() changes a timer's input, and what is neither message nor event it cannot change", async () => {
  await using troupe = await start();
  broken.add("late");
  await troupe.ref(Clerk, "a").noteLater("late");
  const [letter] = await letters(troupe, 1);
  await troupe.deadLetters.edit(letter?.id ?? "", () => "in time");
  await troupe.deadLetters.replay(letter?.id ?? "");
  expect(await troupe.ref(Clerk, "a").notes()).toEqual(["in time"]);
  broken.clear();
  const odd = {
    id: "odd",
    reason: "poison",
    detail: "",
    target: "x",
    attempts: 1,
    record: '{"body":"{"}',
    at: 1,
  } as const;
  await troupe.deadLetters.record("clerk", odd);
  expect(troupe.deadLetters.edit("odd", () => 1)).rejects.toThrow("neither a timer nor a record");
});

test("edits at the same time are all made, one after the other", async () => {
  await using troupe = await start();
  await failed(troupe, ["a"], ["x"]);
  broken.clear();
  const id = (await troupe.deadLetters.list()).items[0]?.id ?? "";
  await Promise.all(["1", "2", "3"].map((more) => troupe.deadLetters.edit(id, (data) => `${String(data)}${more}`)));
  await troupe.deadLetters.replay(id);
  const [note = ""] = await troupe.ref(Clerk, "a").notes();
  expect(note.split("").toSorted().join("")).toBe("123x");
});

test("counts() and summary() tell how many letters there are, and of which age", async () => {
  await using troupe = await start();
  expect([...(await troupe.deadLetters.counts())]).toEqual([]);
  await failed(troupe, ["a", "b"], ["1"]);
  broken.clear();
  expect([...(await troupe.deadLetters.counts())]).toEqual([["poison", 2]]);
  const [summary] = await troupe.deadLetters.summary({ key: "clerk/b" });
  const [letter] = (await troupe.deadLetters.list({ key: "clerk/b" })).items;
  expect(summary).toEqual({ reason: "poison", count: 1, oldest: letter?.at ?? 0, newest: letter?.at ?? 0 });
  expect(await troupe.deadLetters.summary({ type: "none" })).toEqual([]);
});
