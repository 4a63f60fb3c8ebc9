import { actor } from "troupe";
import * as v from "valibot";

/** Counts. Each call is a turn: what it changes is durable before its reply leaves. */
export const Counter = actor("counter", {
  key: v.pipe(v.string(), v.maxLength(100)),
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number(), refuses: ["not_positive"] }, (c, { by }) => {
      c.require(by > 0, "not_positive");
      return (c.state.count += by);
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});
