import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { simulate, simulateMany, type SimulationSetup } from "#runtime/testing";

setDefaultTimeout(0x7fffffff);

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { "counter.added.v1": v.object({ count: v.number() }) },
  mailbox: { max: 3 },
  messages: ({ command, query }) => ({
    add: command({ in: v.number(), out: v.number() }, (c, by) => {
      c.state.count += by;
      c.require(c.state.count % 7 !== 6, "unlucky");
      if (c.state.count % 11 === 10) throw new Error("The handler gives up half way");
      c.emit("counter.added.v1", { count: c.state.count });
      return c.state.count;
    }),
    peek: command({ out: v.number() }, (c) => c.state.count),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const counters: SimulationSetup = {
  actors: [Counter],
  workload: async ({ ref, random, step }) => {
    const counter = ref(Counter, random.pick(["a", "b", "c"]), { tries: 3 });
    if (random.chance(0.2)) await Promise.allSettled(Array.from({ length: 6 }, () => counter.add(1)));
    const id = random.chance(0.5) ? `add-${step}` : undefined;
    await counter.add(random.between(1, 5), id === undefined ? {} : { id }).catch(() => undefined);
    if (random.chance(0.5)) await counter.value();
    else await counter.peek();
  },
};

test("counters keep every promise, whatever goes wrong", () => simulateMany({ seeds: 500, ...counters }));

test("the same seed gives the same history, to the byte", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const [once, again] = [await simulate({ seed, ...counters }), await simulate({ seed, ...counters })];
    expect(JSON.stringify(once.history)).toBe(JSON.stringify(again.history));
  }
});
