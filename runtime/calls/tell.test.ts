import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { until } from "../testing/until.ts";

const Tally = actor("tally", {
  state: v.object({ seen: v.array(v.number()) }),
  initial: () => ({ seen: [] as number[] }),
  messages: ({ command, query }) => ({
    add: command({ in: v.number() }, (c, n) => {
      c.require(n >= 0, "negative");
      c.state.seen.push(n);
    }),
    seen: query({ out: v.array(v.number()) }, (c) => c.state.seen),
  }),
});

test("what is told is handled in order, and is durable when the next answer comes", async () => {
  await using troupe = await createTroupe({ actors: [Tally], stores: { default: memory() } });
  const tell = troupe.tell(Tally, "a");
  for (let i = 0; i < 100; i++) tell.add(i);
  await troupe.ref(Tally, "a").add(100);
  for (let i = 101; i < 200; i++) tell.add(i);
  expect(await troupe.ref(Tally, "a").seen()).toEqual(Array.from({ length: 200 }, (_, i) => i));
});

test("what is told to an actor on another node gets there", async () => {
  const network = localNetwork();
  const stores = { default: memory() };
  await using first = await createTroupe({ actors: [Tally], stores, transport: network.transport() });
  await using router = await createTroupe({ actors: [Tally], stores, transport: network.transport(), owns: false });
  router.tell(Tally, "a").add(1);
  const seen = await until(
    () => first.ref(Tally, "a").seen(),
    ({ length }) => length > 0,
  );
  expect(seen).toEqual([1]);
});

test("a refusal and an input that does not fit are logged, and go no further", async () => {
  const logged: string[] = [];
  await using troupe = await createTroupe({
    actors: [Tally],
    stores: { default: memory() },
    log: (_level, event, fields) =>
      event === "tell:failed" && logged.push(String(fields?.["error"]).split(":")[0] ?? ""),
  });
  const tell = troupe.tell(Tally, "a");
  tell.add(-1);
  (tell as unknown as { add(input: unknown): void }).add("text");
  await troupe.ref(Tally, "a").add(1);
  tell.add(-2);
  await until(
    () => logged.length,
    (count) => count === 3,
  );
  expect(logged.toSorted()).toEqual(["InvalidInputError", "RefusedError", "RefusedError"]);
  expect(await troupe.ref(Tally, "a").seen()).toEqual([1]);
});
