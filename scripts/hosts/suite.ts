/**
 * What the core, the door over HTTP and its client must do on every host, on the memory store: one file of checks without a test runner, as the hosts have
 * none in common. It is bundled as it is, once, and the same bundle runs everywhere.
 */
import * as v from "valibot";
import { inProcess } from "#infra/door/door-bench.ts";
import { doorChecks } from "#infra/door/door-conformance.ts";
import { equal, failure, until } from "#infra/testing/checks.ts";
import {
  actor,
  createTroupe,
  InvalidInputError,
  memory,
  type OutboxRecord,
  RefusedError,
  type Sink,
  toCloudEvent,
  type Troupe,
  TroupeError,
} from "#runtime";
import { localNetwork, ManualClock } from "#runtime/testing";
import { type Outcome, outcomesOf } from "./outcomes.ts";

const Account = actor("account", {
  state: v.object({ balance: v.number() }),
  initial: () => ({ balance: 0 }),
  emits: { "account.credited.v1": v.object({ amount: v.number() }) },
  messages: ({ command, query }) => ({
    credit: command({ in: v.object({ amount: v.number() }), out: v.number() }, (c, { amount }) => {
      c.state.balance += amount;
      c.emit("account.credited.v1", { amount });
      return c.state.balance;
    }),
    debit: command({ in: v.object({ amount: v.number() }), out: v.number() }, (c, { amount }) => {
      c.state.balance -= amount;
      c.require(c.state.balance >= 0, "insufficient_funds", { balance: c.state.balance + amount });
      return c.state.balance;
    }),
    creditLater: command({ in: v.object({ amount: v.number(), ms: v.number() }) }, (c, { amount, ms }) => {
      c.timers.set("later", { in: ms, send: "credit", with: { amount } });
    }),
    pay: command({ in: v.object({ to: v.string(), amount: v.number() }) }, (c, { to, amount }) => {
      c.state.balance -= amount;
      c.send(Account, to, "credit", { amount });
    }),
    balance: query({ out: v.number() }, (c) => c.state.balance),
  }),
});

const CHECKS: Readonly<Record<string, () => Promise<void>>> = {
  "a hundred commands at once are a hundred turns": () =>
    withTroupe(async (troupe) => {
      const account = troupe.ref(Account, "a");
      await Promise.all(Array.from({ length: 100 }, () => account.credit({ amount: 1 })));
      equal(await account.balance(), 100);
    }),

  "a refusal names its reason and leaves no trace": () =>
    withTroupe(async (troupe) => {
      const account = troupe.ref(Account, "a");
      await account.credit({ amount: 5 });
      const error = await failure(account.debit({ amount: 6 }));
      equal(error instanceof RefusedError && [error.reason, error.data], ["insufficient_funds", { balance: 5 }]);
      equal(await account.balance(), 5);
    }),

  "an input that does not fit names every place": () =>
    withTroupe(async (troupe) => {
      const error = await failure(troupe.call("account", "a", "pay", { to: 1 }));
      equal(error instanceof InvalidInputError && error.issues.map(({ path }) => path), ["/to", "/amount"]);
    }),

  "the same id acts once, and is refused with another input": () =>
    withTroupe(async (troupe) => {
      const account = troupe.ref(Account, "a");
      const replies = await Promise.all([1, 2, 3].map(() => account.credit({ amount: 3 }, { id: "m1" })));
      equal(replies, [3, 3, 3]);
      const error = await failure(account.credit({ amount: 4 }, { id: "m1" }));
      equal(error instanceof TroupeError && error.code, "message_id_reused");
    }),

  "a timer fires by the host's own clock, and never early": () =>
    withTroupe(async (troupe) => {
      const account = troupe.ref(Account, "a");
      const before = Date.now();
      await account.creditLater({ amount: 7, ms: 20 });
      await until(async () => (await account.balance()) === 7);
      equal(Date.now() - before >= 20, true);
    }),

  "a clock turned by hand fires what is due, and nothing else": async () => {
    const clock = new ManualClock();
    const troupe = await createTroupe({ actors: [Account], stores: { default: memory("m", clock) }, clock });
    await troupe.ref(Account, "a").creditLater({ amount: 7, ms: 10_000 });
    await clock.advance(9_999);
    equal(await troupe.ref(Account, "a").balance(), 0);
    await clock.advance(1);
    equal(await troupe.ref(Account, "a").balance(), 7);
    await troupe.stop();
  },

  "a send arrives once at the other actor": () =>
    withTroupe(async (troupe) => {
      await troupe.ref(Account, "a").credit({ amount: 10 });
      await troupe.ref(Account, "a").pay({ to: "b", amount: 4 });
      await until(async () => (await troupe.ref(Account, "b").balance()) !== 0);
      equal(await troupe.ref(Account, "b").balance(), 4);
      equal(await troupe.ref(Account, "a").balance(), 6);
    }),

  "events reach a sink in order, as CloudEvents": async () => {
    const seen: number[] = [];
    const sink: Sink = {
      name: "list",
      accepts: "event",
      lane: { kind: "batch", maxBatch: 10 },
      publish: async (records: readonly OutboxRecord[]) =>
        records.map((record) => {
          seen.push((JSON.parse(toCloudEvent(record)) as { data: { amount: number } }).data.amount);
          return { kind: "acked" };
        }),
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const troupe = await createTroupe({ actors: [Account], stores: { default: memory() }, sinks: [sink] });
    for (const amount of [1, 2, 3]) await troupe.ref(Account, "a").credit({ amount });
    await until(async () => seen.length >= 3);
    equal(seen, [1, 2, 3]);
    await troupe.stop();
  },

  "a second node calls the first, and goes on when it has left": async () => {
    const network = localNetwork();
    const stores = { default: memory() };
    const first = await createTroupe({ actors: [Account], stores, transport: network.transport() });
    const second = await createTroupe({ actors: [Account], stores, transport: network.transport(), leaseMs: 200 });
    equal(await second.ref(Account, "a").credit({ amount: 1 }), 1);
    await first.stop();
    equal(await second.ref(Account, "a").credit({ amount: 1 }), 2);
    await second.stop();
  },
};

/** Runs every check. Never rejects. */
export function runSuite(): Promise<readonly Outcome[]> {
  return outcomesOf({ ...CHECKS, ...doorChecks(inProcess) });
}

async function withTroupe(use: (troupe: Troupe) => Promise<void>): Promise<void> {
  const troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  try {
    await use(troupe);
  } finally {
    await troupe.stop();
  }
}
