import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, memoryTopics } from "#runtime";
import { ManualClock } from "#runtime/testing";
import { socketTopic } from "../topics/socket-topic.ts";
import { CLOSE, CONNECT, KEEP, LEASE_MS, RECEIVE, type SocketReply } from "./socket-commands.ts";

const Desk = actor("desk", {
  state: v.object({ closed: v.array(v.string()) }),
  initial: () => ({ closed: [] }),
  messages: ({ query }) => ({ closed: query({ out: v.array(v.string()) }, (c) => c.state.closed) }),
  sockets: (sockets) =>
    sockets(
      { in: v.number(), state: v.object({ sum: v.number() }) },
      {
        initial: () => ({ sum: 0 }),
        onMessage(_, socket, by) {
          socket.state.sum += by;
          socket.send(socket.state.sum);
        },
        onClose: (c, socket) => void c.state.closed.push(`${socket.id} ${socket.state.sum}`),
      },
    ),
});

async function desk() {
  const clock = new ManualClock();
  const stores = { default: memory("m", clock) };
  const troupe = await createTroupe({ actors: [Desk], stores, clock, topics: memoryTopics() });
  const turn = (message: string, socket: string, more: object = {}) =>
    troupe.call("desk", "a", message, { socket, caller: "", ...more }) as Promise<SocketReply>;
  return { clock, troupe, turn, [Symbol.asyncDispose]: () => troupe.stop() };
}

test("a socket whose process died is closed by its actor's own timer, with its last state", async () => {
  await using at = await desk();
  const { state } = await at.turn(CONNECT, "s1");
  const reply = await at.turn(RECEIVE, "s1", { state, data: 5 });
  expect(reply).toEqual({ state: { sum: 5 }, out: ["5"], close: false });
  await at.clock.advance(LEASE_MS - 1);
  expect(await at.troupe.ref(Desk, "a").closed()).toEqual([]);
  await at.clock.advance(1);
  expect(await at.troupe.ref(Desk, "a").closed()).toEqual(["s1 5"]);
  // Its process was only slow: it learns that the socket is over, and what it says then counts for nothing.
  expect(await at.turn(KEEP, "s1", { state: reply.state })).toMatchObject({ close: true });
  await at.turn(CLOSE, "s1", { state: reply.state });
  expect(await at.troupe.ref(Desk, "a").closed()).toEqual(["s1 5"]);
});

test("a socket of which is heard stays, and is closed once", async () => {
  await using at = await desk();
  const { state } = await at.turn(CONNECT, "s1");
  for (let i = 0; i < 4; i++) {
    await at.clock.advance(LEASE_MS / 2);
    expect(await at.turn(KEEP, "s1", { state })).toMatchObject({ close: false });
  }
  for (let i = 0; i < 2; i++) await at.turn(CLOSE, "s1", { state });
  await at.clock.advance(2 * LEASE_MS);
  expect(await at.troupe.ref(Desk, "a").closed()).toEqual(["s1 0"]);
});

test("a type without sockets has no commands for them, and cannot send to any", async () => {
  const Plain = actor("plain", {
    state: v.object({}),
    initial: () => ({}),
    messages: ({ command }) => ({ tell: command({}, (c) => c.sockets.broadcast(1)) }),
  });
  expect(Object.keys(Plain.messages)).toEqual(["tell"]);
  const troupe = await createTroupe({ actors: [Plain], stores: { default: memory() } });
  expect(
    await troupe
      .ref(Plain, "a")
      .tell()
      .catch((error: unknown) => (error as { code: string }).code),
  ).toBe("turn_failed");
  await troupe.stop();
});

test("any key has a topic of its own", () => {
  expect(socketTopic("room", "lobby")).toBe("sockets/room/lobby");
  const odd = ["a b", "über", "x".repeat(200), "a/b", "-a"].map((key) => socketTopic("room", key));
  expect(new Set(odd).size).toBe(5);
  for (const topic of odd) expect(topic).toMatch(/^sockets\/room\/[0-9a-z]+~$/u);
});
