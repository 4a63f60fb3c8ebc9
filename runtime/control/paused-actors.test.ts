import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";
import { controlConformance, FaultyStore } from "#runtime/testing";
import { whenIdleNow } from "../base/event-loop.ts";
import { until } from "../testing/until.ts";

controlConformance(
  "memory",
  async () => {
    const store = memory();
    return { store: () => store, [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  { test, expect },
);

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command }) => ({ add: command({ out: v.number() }, (c) => ++c.state.count) }),
});

test("an actor is loaded anew only after the commit that was under way: no turn is built on the state before it", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  await troupe.ref(Counter, "a").add();
  const letGo = faulty.hold();
  const underWay = troupe.ref(Counter, "a").add();
  await until(
    () => faulty.commits,
    (commits) => commits === 2,
  );
  const reloaded = troupe.reload("counter", "a");
  const after = troupe.ref(Counter, "a").add();
  // Time enough to do the wrong thing.
  for (let i = 0; i < 50; i++) await whenIdleNow();
  letGo();
  await reloaded;
  expect([await underWay, await after]).toEqual([2, 3]);
});

test("a pause that cannot be written is no pause", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  faulty.next("refused", (batch) => batch.pauses !== undefined);
  const failed = await troupe.pause("counter", "a", "r").catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: "commit_failed" });
  expect(await troupe.ref(Counter, "a").add()).toBe(1);
  faulty.next("lost-after", (batch) => batch.pauses !== undefined);
  await troupe.pause("counter", "a", "r");
  expect(
    await troupe
      .ref(Counter, "a")
      .add()
      .catch((error: unknown) => error),
  ).toMatchObject({ code: "paused" });
});

test("a paused actor keeps its pause when it is loaded anew", async () => {
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  await troupe.pause("counter", "a", "r");
  await troupe.reload("counter", "a");
  expect((await troupe.inspect("counter", "a")).paused?.reason).toBe("r");
  await troupe.resume("counter", "a");
  await troupe.resume("counter", "a");
  expect(await troupe.ref(Counter, "a").add()).toBe(1);
});
