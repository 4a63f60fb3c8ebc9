import { expect, test } from "bun:test";
import { createTroupe, memory, memoryTopics } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { connect } from "../client/mod.ts";
import { Room } from "./door-bench.ts";
import { LocalSocket } from "./local-socket.ts";
import { actorHandler } from "./mod.ts";

test("sockets stay where they are, with their states, while their actors move to another node", async () => {
  const network = localNetwork();
  const parts = { actors: [Room], stores: { default: memory() }, topics: memoryTopics() };
  const first = await createTroupe({ ...parts, transport: network.transport(), leaseMs: 300 });
  const second = await createTroupe({ ...parts, transport: network.transport(), leaseMs: 300 });
  const door = actorHandler(second, { actors: [Room], authorize: () => true });
  const client = connect<{ room: typeof Room }>("http://door", {
    transport: "websocket",
    webSocket: (url) => LocalSocket.dial(door, url),
  });
  // Some of the rooms are owned by either node.
  const sockets = await Promise.all(
    Array.from({ length: 12 }, (_, i) => client.socket("room", `room-${i}`, { data: { name: "anna" } })),
  );
  await Promise.all(sockets.map((socket) => socket.send({ say: "before" })));
  await Promise.all([first.stop(), ...sockets.map((socket) => socket.send({ say: "meanwhile" }))]);
  await Promise.all(sockets.map((socket) => socket.send({ say: "after" })));
  for (const socket of sockets) {
    const heard: unknown[] = [];
    for await (const message of socket) if (heard.push(message.nth) === 3) break;
    expect(heard).toEqual([1, 2, 3]);
  }
  client.close();
  await second.stop();
});
