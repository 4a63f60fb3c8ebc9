/** What the examples in docstrings may use without declaring it: a counter, and a node that runs it. */
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";

export const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => (c.state.count += by)),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

export const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
