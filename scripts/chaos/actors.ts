import * as v from "valibot";
import { actor } from "#runtime";

const Whole = v.pipe(v.number(), v.integer());

/** Counts, and tells with an event how far: a gap or a repeat in the events is a lost or a doubled turn. */
export const Counter = actor("counter", {
  state: v.object({ count: Whole }),
  initial: () => ({ count: 0 }),
  emits: { "counter.raised.v1": v.object({ to: Whole }) },
  messages: ({ command, query }) => ({
    raise: command({ out: Whole }, (c) => {
      c.emit("counter.raised.v1", { to: ++c.state.count });
      return c.state.count;
    }),
    value: query({ out: Whole }, (c) => c.state.count),
  }),
});

/** Holds money. All accounts together hold nothing: what one has, others owe. */
export const Account = actor("account", {
  state: v.object({ balance: Whole, changes: Whole }),
  initial: () => ({ balance: 0, changes: 0 }),
  messages: ({ command, query }) => ({
    change: command({ in: v.object({ by: Whole }) }, (c, { by }) => {
      c.state.balance += by;
      c.state.changes++;
    }),
    show: query({ out: v.object({ balance: Whole, changes: Whole }) }, (c) => c.state),
  }),
});

/** Moves money with two durable sends: both arrive once, or the turn never was. */
export const Teller = actor("teller", {
  state: v.object({ moves: Whole }),
  initial: () => ({ moves: 0 }),
  messages: ({ command }) => ({
    move: command({ in: v.object({ from: v.string(), to: v.string(), amount: Whole }), out: Whole }, (c, input) => {
      c.send(Account, input.from, "change", { by: -input.amount });
      c.send(Account, input.to, "change", { by: input.amount });
      return ++c.state.moves;
    }),
  }),
});

export const ACTORS = [Counter, Account, Teller] as const;
