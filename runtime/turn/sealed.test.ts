import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, type Log, memory, type Troupe, TroupeError } from "#runtime";

/** What code that outlived its turn did, and what came of it. */
const late: unknown[] = [];
let kept: { n: number; items: number[] } | undefined;

const Other = actor("other", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  messages: ({ command }) => ({
    touch: command({}, (c) => void c.state.n++),
    number: command({ in: v.number() }, () => undefined),
  }),
});

const Slip = actor("slip", {
  state: v.object({ n: v.number(), items: v.array(v.number()) }),
  initial: () => ({ n: 0, items: [3, 1, 2] }),
  emits: { "slip.made.v1": v.object({ n: v.number() }) },
  turnLimit: "50ms",
  messages: ({ command, query }) => ({
    touch: command({ out: v.number() }, (c) => ++c.state.n),
    slip: command({}, (c) => {
      setTimeout(() => {
        const uses = [
          () => void (c.state.n = 99),
          () => c.emit("slip.made.v1", { n: 99 }),
          () => c.send(Other, "b", "touch"),
          () => c.timers.set("late", { in: "1s", send: "touch" }),
          () => c.destroy(),
          () => void c.ref(Other, "b").touch(),
        ];
        for (const use of uses) {
          try {
            use();
            late.push("it was let");
          } catch (error) {
            late.push(error);
          }
        }
      }, 1);
    }),
    keep: command({}, async (c) => {
      await Promise.resolve();
      kept = c.state;
    }),
    keepAtOnce: command({ in: v.boolean() }, (c, write) => {
      if (write) c.state.n++;
      kept = c.state;
    }),
    sort: query({ out: v.array(v.number()) }, (c) => (c.state.items as number[]).sort((a, b) => a - b)),
    write: query({}, (c) => void ((c.state as { n: number }).n = 7)),
    look: query({ out: v.object({ n: v.number(), items: v.array(v.number()) }) }, (c) => ({
      n: c.state.n,
      items: c.state.items.toSorted((a, b) => a - b),
    })),
    hang: command({}, () => new Promise<void>(() => undefined)),
    badEvent: command({}, (c) => c.emit("slip.made.v1", { n: "no" } as never)),
    badSend: command({}, (c) => c.send(Other, "b", "number", "x" as never)),
    badAsk: command({}, (c) => c.ref(Other, "b").number("x" as never)),
    number: command({ in: v.number() }, () => undefined),
    lose: command({ in: v.picklist(["state", "reply", "event"]), out: v.any() }, (c, where) => {
      if (where === "state") c.state.items = [1, Number.NaN];
      if (where === "event") c.emit("slip.made.v1", { n: Number.POSITIVE_INFINITY });
      return where === "reply" ? { share: 1 / 0 } : null;
    }),
    numbers: query({ out: v.any() }, () => [Number.NaN]),
  }),
});

async function start(): Promise<Troupe & { readonly logged: string[] }> {
  const logged: string[] = [];
  const log: Log = (level, event) => void (level === "error" && logged.push(event));
  const troupe = await createTroupe({ actors: [Slip, Other], stores: { default: memory() }, log });
  return Object.assign(troupe, { logged });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "ok",
    (error: unknown) => (error instanceof TroupeError ? error.code : String(error)),
  );
}

test("a turn that is over is sealed: what its code does later changes nothing, throws and is logged", async () => {
  await using troupe = await start();
  const slip = troupe.ref(Slip, "a");
  await slip.slip();
  while (late.length < 6) await Bun.sleep(1);
  expect(late.map((error) => error instanceof TypeError)).toEqual(Array.from({ length: 6 }, () => true));
  expect(troupe.logged.filter((event) => event === "turn:late").length).toBeGreaterThanOrEqual(5);
  expect(await slip.look()).toEqual({ n: 0, items: [1, 2, 3] });
  expect(await slip.touch()).toBe(1);
});

test("a piece of the state that a handler kept while it awaited cannot be written any more", async () => {
  await using troupe = await start();
  const slip = troupe.ref(Slip, "a");
  await slip.keep();
  expect(() => kept?.items.push(4)).toThrow(TypeError);
  expect(await slip.touch()).toBe(1);
  expect((await slip.look()).items).toEqual([1, 2, 3]);
});

for (const write of [true, false]) {
  const what = write ? "that changed it" : "that left it as it was";
  test(`what a handler ${what} kept of the state without awaiting can be written, and that has no effect`, async () => {
    await using troupe = await start();
    const slip = troupe.ref(Slip, "a");
    await slip.keepAtOnce(write);
    kept?.items.push(4);
    if (kept !== undefined) kept.n = 99;
    const n = write ? 1 : 0;
    expect(await slip.look()).toEqual({ n, items: [1, 2, 3] });
    expect(await slip.touch()).toBe(n + 1);
    expect(await slip.look()).toEqual({ n: n + 1, items: [1, 2, 3] });
    const [stored] = await troupe.list(Slip);
    expect(stored?.state).toEqual({ n: n + 1, items: [3, 1, 2] });
  });
}

test("a query cannot change anything", async () => {
  await using troupe = await start();
  const slip = troupe.ref(Slip, "a");
  expect(await codeOf(slip.sort())).toBe("turn_failed");
  expect(await codeOf(slip.write())).toBe("turn_failed");
  await slip.touch();
  const [stored] = await troupe.list(Slip);
  expect(stored?.state).toEqual({ n: 1, items: [3, 1, 2] });
});

test("a handler that hangs has a time limit, and the next message its turn", async () => {
  await using troupe = await start();
  const slip = troupe.ref(Slip, "a");
  const hanging = codeOf(slip.hang());
  const next = slip.touch();
  expect(await hanging).toBe("turn_failed");
  expect(await next).toBe(1);
  expect(troupe.logged).toContain("turn:failed");
});

test("what an actor makes itself and does not fit is turn_failed and logged, not its caller's invalid_input", async () => {
  await using troupe = await start();
  const slip = troupe.ref(Slip, "a");
  for (const call of [() => slip.badEvent(), () => slip.badSend(), () => slip.badAsk()]) {
    troupe.logged.length = 0;
    expect(await codeOf(call())).toBe("turn_failed");
    expect(troupe.logged).toEqual(["turn:failed"]);
  }
  expect(await codeOf(slip.number("x" as never))).toBe("invalid_input");
});

test("a number that JSON has no word for fails the turn, in a state, a reply and an event", async () => {
  await using troupe = await start();
  const slip = troupe.ref(Slip, "a");
  for (const where of ["state", "reply", "event"] as const) {
    expect([where, await codeOf(slip.lose(where))]).toEqual([where, "turn_failed"]);
  }
  expect(await codeOf(slip.numbers())).toBe("turn_failed");
  expect(await slip.look()).toEqual({ n: 0, items: [1, 2, 3] });
});

test("actor() refuses a state schema whose values do not survive JSON, and names the place", () => {
  const make = (state: v.GenericSchema) => (): unknown =>
    actor("bad", { state, initial: () => ({}) as never, messages: () => ({}) });
  expect(make(v.object({ at: v.date() }))).toThrow("its state is kept as JSON: /at is v.date()");
  expect(make(v.object({ list: v.array(v.optional(v.map(v.string(), v.number()))) }))).toThrow("/list/* is v.map()");
  expect(make(v.union([v.string(), v.bigint()]))).toThrow("v.bigint()");
  expect(
    make(
      v.pipe(
        v.string(),
        v.transform((text: string) => new Date(text)),
        v.date(),
      ),
    ),
  ).toThrow("v.date()");
  expect(
    make(v.object({ name: v.nullable(v.string()), any: v.unknown(), more: v.record(v.string(), v.number()) })),
  ).not.toThrow();
});

test("two actors that ask each other at once are told so, and do not wait for their time to run out", async () => {
  interface Context {
    ref(
      type: unknown,
      key: string,
    ): { readonly note: () => Promise<void>; readonly ask: (to: string[]) => Promise<void> };
  }
  const Ask = actor("ask", {
    state: v.object({ noted: v.number() }),
    initial: () => ({ noted: 0 }),
    messages: ({ command }) => ({
      ask: command({ in: v.array(v.string()) }, async (c, [first]) => {
        await Bun.sleep(1);
        await (c as unknown as Context).ref(Ask, first as string).note();
      }),
      note: command({}, (c) => void c.state.noted++),
    }),
  });
  await using troupe = await createTroupe({ actors: [Ask], stores: { default: memory() } });
  const pairs = [
    [
      ["x", "y"],
      ["y", "x"],
    ],
    [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ],
  ] as const;
  for (const ring of pairs) {
    const since = performance.now();
    const codes = await Promise.all(ring.map(([from, to]) => codeOf(troupe.ref(Ask, from).ask([to]))));
    expect(codes).toContain("call_cycle");
    expect(codes).toContain("ok");
    expect(performance.now() - since).toBeLessThan(5_000);
  }
});
