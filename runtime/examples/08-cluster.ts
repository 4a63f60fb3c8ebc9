/**
 * Two nodes: one store, a transport between them. Each partition is held by one node; a call goes to whoever holds it,
 * and when a node leaves, the other goes on where it stopped. `natsTransport` is the same interface over a network.
 *
 * Run it:  bun runtime/examples/08-cluster.ts
 */
import { actor, createTroupe, memory } from "troupe";
import { localNetwork } from "troupe/testing";
import * as v from "valibot";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.number(), out: v.number() }, (c, by) => (c.state.count += by)),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const network = localNetwork();
const store = memory(); // stands for a database that both reach
const start = (nodeId: string) =>
  createTroupe({ actors: [Counter], stores: { default: store }, transport: network.transport(), nodeId, leaseMs: 300 });
const held = (node: Awaited<ReturnType<typeof start>>): number => node.status().stores[0]?.ownedPartitions ?? 0;

const anna = await start("anna");
const bert = await start("bert");
console.log("together hold", held(anna) + held(bert), "partitions");

// Whoever is asked, each actor runs in one place.
await anna.ref(Counter, "visits").add(1);
console.log(
  "bert adds:",
  await bert.ref(Counter, "visits").add(1),
  "· anna reads:",
  await anna.ref(Counter, "visits").value(),
);
console.log("calls over the network:", network.calls.length > 0);

// Anna leaves in order: she hands her partitions over, and callers notice nothing. Bert has the state.
await anna.leave();
await anna.stop();
console.log("bert alone:", await bert.ref(Counter, "visits").add(1), "· holds", held(bert));

await bert.stop();

/* Prints:
 * together hold 64 partitions
 * bert adds: 2 · anna reads: 2
 * calls over the network: true
 * bert alone: 3 · holds 64
 */
