import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, silentLog, StateUnreadableError, type Troupe, type TroupeError } from "#runtime";
import { postgresStore } from "../postgres/store.ts";
import { testDatabase, testServer } from "../stack/for-tests.ts";
import { eventually } from "../testing/eventually.ts";
import { connectNats } from "./connection.ts";
import { natsTransport } from "./transport.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const begun: string[] = [];
const aborted: string[] = [];
let version = 1;

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command }) => ({
    add: command({ out: v.number() }, (c) => ++c.state.count),
    wait: command({ in: v.string() }, async (c, name) => {
      begun.push(name);
      await new Promise((_, reject) => c.signal.addEventListener("abort", () => reject(c.signal.reason as Error)));
    }),
  }),
});

/** Its schema version is what `version` says when a node starts. */
function versioned() {
  return actor("versioned", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    version,
    migrate: version === 2 ? { 1: ({ count }) => ({ count: Number(count) * 10 }) } : {},
    messages: ({ command }) => ({ add: command({ out: v.number() }, (c) => ++c.state.count) }),
  });
}

/** Two nodes over NATS and one Postgres database. The first holds all partitions until it stops. */
async function cluster() {
  const database = await testDatabase("nodes");
  const link = connectNats({ url: await testServer("nats"), log: silentLog });
  const Versioned = versioned();
  const node = (): Promise<Troupe> =>
    createTroupe({
      actors: [Counter, Versioned],
      stores: { default: postgresStore(database.url) },
      transport: natsTransport({ connection: link, log: silentLog }),
    });
  const owner = await node();
  const other = await node();
  return {
    owner,
    other,
    node,
    Versioned,
    database,
    async [Symbol.asyncDispose](): Promise<void> {
      await other.stop();
      await owner.stop();
      await link.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

test("watch() shows an actor of another node, and goes on when that node stops", async () => {
  await using nodes = await cluster();
  const controller = new AbortController();
  const seen: string[] = [];
  const done = (async () => {
    for await (const { version: at, state } of nodes.other.watch(Counter, "a", { signal: controller.signal }))
      seen.push(`${at} ${state.count}`);
  })();
  await eventually("the first state came", 10_000, async () => seen.length === 1);
  await nodes.owner.ref(Counter, "a").add();
  await eventually("the change came", 10_000, async () => seen.length === 2);
  await nodes.owner.stop();
  await nodes.other.ref(Counter, "a").add();
  await eventually("the next owner's change came", 10_000, async () => seen.length === 3);
  controller.abort();
  await done;
  expect(seen).toEqual(["0 0", "1 1", "2 2"]);
});

test("a caller that gives up, and a deadline that passes, end the turn on the other node", async () => {
  await using nodes = await cluster();
  const code = (error: TroupeError): void => void aborted.push(error.code);
  const controller = new AbortController();
  const cancelled = nodes.other.ref(Counter, "a").wait("first", { signal: controller.signal }).catch(code);
  await eventually("the turn runs", 10_000, async () => begun.includes("first"));
  controller.abort();
  await cancelled;
  await nodes.other.ref(Counter, "a").wait("second", { timeout: "200ms" }).catch(code);
  // Both turns have ended: the actor is free.
  expect(await nodes.other.ref(Counter, "a").add(undefined, { timeout: "10s" })).toBe(1);
  expect([begun, aborted]).toEqual([
    ["first", "second"],
    ["cancelled", "deadline_exceeded"],
  ]);
});

test("states of an earlier schema version are migrated, and the state of a later one is left alone", async () => {
  version = 1;
  await using nodes = await cluster();
  expect(await nodes.owner.ref(nodes.Versioned, "a").add()).toBe(1);
  await nodes.other.stop();
  await nodes.owner.stop();
  version = 2;
  const Second = versioned();
  const stores = () => ({ default: postgresStore(nodes.database.url) });
  {
    await using next = await createTroupe({ actors: [Second], stores: stores() });
    expect(await next.list(Second)).toEqual([{ key: "a", version: 1, state: { count: 10 } }]);
    expect(await next.ref(Second, "a").add()).toBe(11);
  }
  await using back = await createTroupe({ actors: [nodes.Versioned], stores: stores() });
  const error = await back
    .ref(nodes.Versioned, "a")
    .add()
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StateUnreadableError);
  expect(error).toMatchObject({ found: 2, known: 1, problem: "newer" });
});
