import { setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { type Outcome, simulateMany } from "#runtime/testing";

setDefaultTimeout(0x7fffffff);

const Till = actor("till", {
  state: v.object({ sales: v.record(v.string(), v.number()), count: v.number() }),
  initial: () => ({ sales: {}, count: 0 }),
  messages: ({ command }) => ({
    sell: command({ in: v.object({ sale: v.string() }), out: v.number() }, async (c, { sale }) => {
      c.state.sales[sale] = (c.state.sales[sale] ?? 0) + 1;
      await Promise.resolve();
      return ++c.state.count;
    }),
  }),
});

function everySaleCountsOnce({ actors }: Outcome): string | undefined {
  for (const { key, state } of actors(Till)) {
    const twice = Object.entries(state.sales).find(([, times]) => times !== 1);
    if (twice !== undefined) return `${key} has ${twice[0]} ${twice[1]} times`;
  }
  return undefined;
}

test("clients that ask again and again with one id get one effect and one answer, whatever goes wrong", () =>
  simulateMany({
    seeds: 500,
    firstSeed: 30_001,
    actors: [Till],
    invariants: [everySaleCountsOnce],
    workload: async ({ ref, random, step }) => {
      const sale = `sale-${step % 6}`; // Two clients share each.
      const till = ref(Till, step % 2 === 0 ? "a" : "b", { tries: random.between(1, 6) });
      await Promise.all([till.sell({ sale }, { id: sale }), till.sell({ sale }, { id: sale })]);
    },
  }));
