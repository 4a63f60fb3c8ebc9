import { setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { type Outcome, simulateMany } from "#runtime/testing";

setDefaultTimeout(0x7fffffff);

const OPENING = 100;

const Account = actor("account", {
  state: v.object({ balance: v.number() }),
  initial: () => ({ balance: OPENING }),
  emits: { "account.moved.v1": v.object({ by: v.number() }) },
  messages: ({ command, query }) => ({
    transfer: command(
      { in: v.object({ to: v.string(), amount: v.number() }), out: v.number() },
      (c, { to, amount }) => {
        c.state.balance -= amount;
        c.send(Account, to, "deposit", { amount });
        c.emit("account.moved.v1", { by: -amount });
        c.require(c.state.balance >= 0, "insufficient_funds", { balance: c.state.balance });
        return c.state.balance;
      },
    ),
    deposit: command({ in: v.object({ amount: v.number() }) }, (c, { amount }) => {
      c.state.balance += amount;
      c.emit("account.moved.v1", { by: amount });
    }),
    /** Asks while its own turn is under way, and takes what the other one has. */
    raid: command({ in: v.string() }, async (c, other) => {
      const there = await c.ref(Account, other).balance();
      if (there > 0) c.send(Account, other, "transfer", { to: c.key, amount: Math.min(there, 5) });
    }),
    balance: query({ out: v.number() }, (c) => c.state.balance),
  }),
});

function moneyIsConserved({ actors }: Outcome): string | undefined {
  const accounts = actors(Account);
  const sum = accounts.reduce((total, { state }) => total + state.balance, 0);
  return sum === accounts.length * OPENING ? undefined : `${accounts.length} accounts hold ${sum}`;
}

test("money that is sent from account to account is neither lost nor made, whatever goes wrong", () =>
  simulateMany({
    seeds: 500,
    firstSeed: 10_001,
    actors: [Account],
    invariants: [moneyIsConserved],
    workload: async ({ ref, random, step }) => {
      const keys = ["a", "b", "c", "d"];
      const account = ref(Account, random.pick(keys), { tries: 3 });
      if (random.chance(0.2)) await account.raid(random.pick(keys));
      else await account.transfer({ to: random.pick(keys), amount: random.between(1, 60) }, { id: `transfer-${step}` });
      await account.balance();
    },
  }));
