/** What the compiler must refuse: each line marked so would be an error at run time. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { Counter, type Room, type Sums } from "../door/door-bench.ts";
import { connect, reasonOf, remote, type RemoteRef } from "./mod.ts";

const answers = (): Promise<Response> => Promise.resolve(Response.json(3));

test("a client's calls are typed by the actors alone: names, inputs, replies and refusals", async () => {
  const client = connect<{ counter: typeof Counter }>("http://door", { fetch: answers });
  const visits: RemoteRef<typeof Counter> = client.ref("counter", "a");
  const sum: number = await visits.add({ by: 1 }, { id: "once" });
  const value: number = await client.ref(remote<typeof Counter>("counter"), "a").value();
  const again: number = await client.ref(Counter, "a").value();
  expect([sum, value, again]).toEqual([3, 3, 3]);

  const wrong = async (): Promise<void> => {
    // @ts-expect-error -- no such actor
    client.ref("order", "a");
    // @ts-expect-error -- no such message
    await visits.subtract({ by: 1 });
    // @ts-expect-error -- another input
    await visits.add({ by: "1" });
    // @ts-expect-error -- no input
    await visits.add();
    // @ts-expect-error -- a query without input
    await visits.value({ by: 1 });
    // @ts-expect-error -- another reply
    const text: string = await visits.add({ by: 1 });
    const reason = reasonOf(new Error(text), visits.add);
    // @ts-expect-error -- no such reason
    if (reason === "not_positiv") return;
    if (reason === "not_positive" || reason === "too_much") return;
    for await (const { state } of client.watch("counter", "a")) {
      // @ts-expect-error -- no such member of the state
      if (state.cuont === 1) return;
    }
  };
  expect(wrong).toBeFunction();
});

test("a socket of an actor is typed by its declaration: what is sent each way, and what is given at first", () => {
  const client = connect<{ room: typeof Room; counter: typeof Counter }>("http://door");
  const talk = async (): Promise<void> => {
    const room = await client.socket("room", "lobby", { data: { name: "anna" } });
    await room.send({ say: "hello" });
    for await (const { by, text } of room) console.log(`${by}: ${text}`.toUpperCase());
    // @ts-expect-error -- no such member
    await room.send({ says: "hello" });
    // @ts-expect-error -- another type
    await client.socket("room", "lobby", { data: { name: 1 } });
    for await (const message of room) {
      // @ts-expect-error -- no such member
      if (message.txet === "") return;
    }
    const counter = await client.socket("counter", "a");
    // @ts-expect-error -- it has no sockets
    await counter.send({ say: "hello" });
  };
  expect(talk).toBeFunction();
});

test("a stateless worker is named without a key, an actor with one", async () => {
  const client = connect<{ sums: typeof Sums; counter: typeof Counter }>("http://door", { fetch: answers });
  const sum: number = await client.ref("sums").add({ a: 1, b: 2 });
  const named: number = await client.ref(remote<typeof Sums>("sums")).add({ a: 1, b: 2 });
  expect([sum, named]).toEqual([3, 3]);
  const wrong = async (): Promise<void> => {
    // @ts-expect-error -- it has no key
    client.ref("sums", "a");
    // @ts-expect-error -- an actor has one
    client.ref("counter");
    for await (const { state } of client.watch("sums", "-")) {
      // @ts-expect-error -- it has no states
      if (state.count === 1) return;
    }
    // @ts-expect-error -- another input
    await client.ref("sums").add({ a: 1 });
    // @ts-expect-error -- no such reason
    if (reasonOf(new Error(), client.ref("sums").add) === "too_little") return;
  };
  expect(wrong).toBeFunction();
});

test("a command that lists its refusals gives no other", () => {
  const Gate = actor("gate", {
    state: v.object({}),
    initial: () => ({}),
    messages: ({ command }) => ({
      enter: command({ refuses: ["shut"] }, (c) => {
        c.require(true, "shut");
        // @ts-expect-error -- not among them
        c.require(true, "shutt");
      }),
      leave: command({}, (c) => c.require(true, "whatever")),
    }),
  });
  expect(Gate.messages.enter.refuses).toEqual(["shut"]);
});
