import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, MailboxFullError, memory, RefusedError, type TroupeError } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { until } from "../testing/until.ts";

const Account = actor("account", {
  state: v.object({ balance: v.number() }),
  initial: () => ({ balance: 0 }),
  emits: { "account.deposited.v1": v.object({ amount: v.number() }) },
  messages: ({ command, query }) => ({
    deposit: command({ in: v.object({ amount: v.number() }), out: v.number() }, (c, { amount }) => {
      c.state.balance += amount;
      c.emit("account.deposited.v1", { amount });
      return c.state.balance;
    }),
    withdraw: command({ in: v.object({ amount: v.number() }), out: v.number() }, (c, { amount }) => {
      c.state.balance -= amount;
      c.require(c.state.balance >= 0, "insufficient_funds", { balance: c.state.balance + amount });
      return c.state.balance;
    }),
    explode: command({}, (c) => {
      c.state.balance = 1_000_000;
      throw new Error("secret");
    }),
    depositLater: command({ in: v.object({ amount: v.number(), ms: v.number() }) }, (c, { amount, ms }) => {
      c.timers.set("later", { in: ms, send: "deposit", with: { amount } });
    }),
    transfer: command({ in: v.object({ to: v.string(), amount: v.number() }) }, (c, { to, amount }) => {
      c.require(c.state.balance >= amount, "insufficient_funds");
      c.state.balance -= amount;
      c.send(Account, to, "deposit", { amount });
    }),
    slowDeposit: command({ in: v.object({ amount: v.number() }) }, async (c, { amount }) => {
      const before = c.state.balance;
      c.state.balance = -1;
      await Promise.resolve();
      c.state.balance = before + amount;
    }),
    askSelf: command({}, async (c) => {
      await c.ref(Account, c.key).deposit({ amount: 1 });
    }),
    balance: query({ out: v.number() }, (c) => c.state.balance),
  }),
});

async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`Still ${JSON.stringify(value)} after 5 s`);
    await Bun.sleep(5);
  }
}

test("a command changes the state and a query reads it", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const account = troupe.ref(Account, "a");
  expect(await account.deposit({ amount: 5 })).toBe(5);
  expect(await account.balance()).toBe(5);
});

test("a refused turn leaves no trace and names its reason", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const account = troupe.ref(Account, "a");
  await account.deposit({ amount: 5 });
  const error = await account.withdraw({ amount: 6 }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RefusedError);
  expect((error as RefusedError).reason).toBe("insufficient_funds");
  expect((error as RefusedError).data).toEqual({ balance: 5 });
  expect(await account.balance()).toBe(5);
});

test("a handler that throws answers turn_failed without its text and leaves no trace", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const account = troupe.ref(Account, "a");
  const error = (await account.explode().catch((e: unknown) => e)) as TroupeError;
  expect(error.code).toBe("turn_failed");
  expect(error.message).not.toContain("secret");
  expect(await account.balance()).toBe(0);
});

test("the same id acts once, also when five callers race, and another input is refused", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const account = troupe.ref(Account, "a");
  const replies = await Promise.all(Array.from({ length: 5 }, () => account.deposit({ amount: 3 }, { id: "m1" })));
  expect(replies).toEqual([3, 3, 3, 3, 3]);
  expect(await account.balance()).toBe(3);
  const error = (await account.deposit({ amount: 4 }, { id: "m1" }).catch((e: unknown) => e)) as TroupeError;
  expect(error.code).toBe("message_id_reused");
});

test("a timer fires once and never early", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const account = troupe.ref(Account, "a");
  const started = performance.now();
  await account.depositLater({ amount: 7, ms: 30 });
  await eventually(
    () => account.balance(),
    (balance) => balance === 7,
  );
  expect(performance.now() - started).toBeGreaterThanOrEqual(29);
});

test("a send arrives once at the other actor", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  await troupe.ref(Account, "a").deposit({ amount: 10 });
  await troupe.ref(Account, "a").transfer({ to: "b", amount: 4 });
  await eventually(
    () => troupe.ref(Account, "b").balance(),
    (balance) => balance === 4,
  );
  expect(await troupe.ref(Account, "a").balance()).toBe(6);
});

test("a query beside a running turn sees the state before it", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const account = troupe.ref(Account, "a");
  await account.deposit({ amount: 1 });
  const running = account.slowDeposit({ amount: 2 });
  expect(await account.balance()).not.toBe(-1);
  await running;
  expect(await account.balance()).toBe(3);
});

test("a call that would wait for itself is refused", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const error = (await troupe
    .ref(Account, "a")
    .askSelf()
    .catch((e: unknown) => e)) as TroupeError;
  expect(error.code).toBe("call_cycle");
});

test("invalid input names every place and changes nothing", async () => {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
  const error = (await troupe.call("account", "a", "transfer", { to: 1 }).catch((e: unknown) => e)) as TroupeError & {
    issues: { path: string }[];
  };
  expect(error.code).toBe("invalid_input");
  expect(error.issues.map((issue) => issue.path)).toEqual(["/to", "/amount"]);
});

test("a full mailbox refuses the next message and hands its envelope back", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const Slow = actor("slow", {
    state: v.object({}),
    initial: () => ({}),
    mailbox: { max: 2 },
    messages: ({ command }) => ({ work: command({ in: v.number() }, () => promise) }),
  });
  await using troupe = await createTroupe({ actors: [Slow], stores: { default: memory() } });
  const slow = troupe.ref(Slow, "a");
  const accepted = [slow.work(1)];
  // The first one has to have left the mailbox for its turn.
  await eventually(
    async () => troupe.status().stores[0]?.activeActors,
    (active) => active === 1,
  );
  await Bun.sleep(0);
  accepted.push(slow.work(2), slow.work(3));
  const refused = await slow.work(4).catch((e: unknown) => e);
  expect(refused).toBeInstanceOf(MailboxFullError);
  expect((refused as MailboxFullError).envelope.input).toBe(4);
  resolve();
  await Promise.all(accepted);
});

test("an actor that was idle long enough leaves memory, and comes back with its state", async () => {
  const Brief = actor("brief", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    idle: "10ms",
    messages: ({ command }) => ({ add: command({ out: v.number() }, (c) => ++c.state.count) }),
  });
  await using troupe = await createTroupe({ actors: [Brief], stores: { default: memory() } });
  expect(await troupe.ref(Brief, "a").add()).toBe(1);
  await eventually(
    async () => troupe.status().stores[0]?.activeActors,
    (active) => active === 0,
  );
  expect(await troupe.ref(Brief, "a").add()).toBe(2);
});

test("a timer whose turn always fails becomes a dead letter and is gone", async () => {
  let tries = 0;
  const Broken = actor("broken", {
    state: v.object({}),
    initial: () => ({}),
    poison: { after: 2 },
    messages: ({ command }) => ({
      arm: command({}, (c) => c.timers.set("boom", { in: 1, send: "boom" })),
      boom: command({}, () => {
        tries++;
        throw new Error("always");
      }),
    }),
  });
  const store = memory();
  const letters: string[] = [];
  const record = store.recordDeadLetters.bind(store);
  store.recordDeadLetters = (batch) => {
    letters.push(...batch.map(({ reason, target, attempts }) => `${reason} ${target} ${attempts}`));
    return record(batch);
  };
  await using troupe = await createTroupe({ actors: [Broken], stores: { default: store } });
  await troupe.ref(Broken, "a").arm();
  await eventually(
    async () => letters.length,
    (count) => count === 1,
  );
  expect(letters).toEqual(["poison broken/a 2"]);
  expect(tries).toBe(2);
  const left = await until(
    () => store.timers([...Array(64).keys()], Date.now() + 60_000, 10),
    (rows) => rows.length === 0,
  );
  expect(left).toEqual([]);
});

test("stop() takes down everything, also where a store cannot be closed, and tells of it", async () => {
  const network = localNetwork();
  const inner = memory();
  const store = new Proxy(inner, {
    get(target, property) {
      if (property === "close") return () => Promise.reject(new Error("it does not close"));
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const Nothing = actor("nothing", { state: v.object({}), initial: () => ({}), messages: () => ({}) });
  const transport = network.transport();
  let closed = 0;
  const close = transport.close.bind(transport);
  const watched = Object.assign(Object.create(transport) as typeof transport, {
    serve: transport.serve.bind(transport),
    call: transport.call.bind(transport),
    close: async () => {
      closed++;
      await close();
    },
  });
  const troupe = await createTroupe({ actors: [Nothing], stores: { default: store }, transport: watched });
  const error: unknown = await troupe.stop().catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("it does not close");
  expect(closed).toBe(1);
});
