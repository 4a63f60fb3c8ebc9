import * as v from "valibot";
import { actor } from "#runtime";

/** The actor of the durable benchmarks: a small state, one event per turn. */
export const Account = actor("account", {
  state: v.object({ count: v.number(), owner: v.string(), items: v.array(v.string()) }),
  initial: () => ({ count: 0, owner: "somebody", items: ["a", "b"] }),
  emits: { "account.incremented.v1": v.object({ by: v.number() }) },
  messages: ({ command, query }) => ({
    increment: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => {
      c.state.count += by;
      c.emit("account.incremented.v1", { by });
      return c.state.count;
    }),
    burst: command({ in: v.object({ times: v.number() }) }, (c, { times }) => {
      for (let i = 0; i < times; i++) c.emit("account.incremented.v1", { by: 1 });
      c.state.count += times;
    }),
    read: query({ out: v.number() }, (c) => c.state.count),
  }),
});
