import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";
import { settled } from "../testing/manual-clock.ts";

test("a query never sees a turn whose commit failed, also while a turn that was built on it still runs", async () => {
  const gate = Promise.withResolvers<void>();
  const Counter = actor("counter", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    messages: ({ command, query }) => ({
      add: command({ out: v.number() }, (c) => ++c.state.count),
      wait: command({}, () => gate.promise),
      value: query({ out: v.number() }, (c) => c.state.count),
    }),
  });
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  await counter.add();
  const open = faulty.hold();
  faulty.next("refused");
  const code = (error: TroupeError): string => error.code;
  const lost = counter.add().catch(code);
  await settled();
  const built = counter.wait().catch(code);
  await settled();
  open();
  expect(await lost).toBe("commit_failed");
  const seen = counter.value();
  await settled();
  gate.resolve();
  expect(await built).toBe("commit_failed");
  expect(await seen).toBe(1);
  expect(await counter.add()).toBe(2);
});

test("a refusal that rests on a turn whose commit failed is not given", async () => {
  const gate = Promise.withResolvers<void>();
  const Account = actor("account", {
    state: v.object({ balance: v.number() }),
    initial: () => ({ balance: 10 }),
    messages: ({ command }) => ({
      withdraw: command({}, (c) => void (c.state.balance = 0)),
      check: command({}, async (c) => {
        await gate.promise;
        c.require(c.state.balance > 0, "empty");
      }),
    }),
  });
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Account], stores: { default: faulty.store } });
  const account = troupe.ref(Account, "a");
  const code = (error: TroupeError): string => error.code;
  const open = faulty.hold();
  faulty.next("refused");
  const lost = account.withdraw().catch(code);
  await settled();
  const check = account.check().catch(code);
  await settled();
  open();
  expect(await lost).toBe("commit_failed");
  gate.resolve();
  expect(await check).toBe("commit_failed");
  await account.check();
});
