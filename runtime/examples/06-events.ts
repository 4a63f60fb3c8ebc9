/**
 * Events: facts that leave an actor after the commit, in order per actor, at least once. Where they go is a sink; this
 * one prints them. `natsSink` and `kafkaSink` are the same interface over a broker.
 *
 * Run it:  bun runtime/examples/06-events.ts
 */
import { actor, createTroupe, memory, type OutboxRecord, type Sink, toCloudEvent } from "troupe";
import * as v from "valibot";

const Door = actor("door", {
  state: v.object({ open: v.boolean() }),
  initial: () => ({ open: false }),
  emits: { "door.opened.v1": v.object({ by: v.string() }), "door.closed.v1": v.object({}) },
  messages: ({ command }) => ({
    open: command({ in: v.string() }, (c, by) => {
      c.state.open = true;
      c.emit("door.opened.v1", { by }); // another name, or other data, is a type error
      c.require(by !== "burglar", "not_invited"); // the event goes with the turn: never published
    }),
    close: command({}, (c) => {
      c.state.open = false;
      c.emit("door.closed.v1", {});
    }),
  }),
});

let seen = 0;
let paper = false;
const printer: Sink = {
  name: "printer", // stable: how far it has got is stored under this name
  accepts: "event",
  lane: { kind: "batch", maxBatch: 100 },
  async publish(records: readonly OutboxRecord[]) {
    if (!paper) {
      paper = true;
      console.log("no paper");
      throw new Error("no paper"); // the same records come again, with the same ids
    }
    for (const record of records) {
      const event = JSON.parse(toCloudEvent(record)) as { type: string; subject: string; data: unknown };
      console.log(`${event.type} of ${event.subject}: ${JSON.stringify(event.data)}`);
    }
    seen += records.length;
    return records.map(() => ({ kind: "acked" as const }));
  },
  check: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const troupe = await createTroupe({ actors: [Door], stores: { default: memory() }, sinks: [printer] });
const front = troupe.ref(Door, "front");
await Promise.allSettled([front.open("ann"), front.close(), front.open("burglar"), front.open("bob")]);

while (seen < 3) await new Promise((next) => setTimeout(next, 5));
console.log("events:", seen, "· waiting:", troupe.status().sinks.find(({ name }) => name === "printer")?.pending);

await troupe.stop();

/* Prints:
 * no paper
 * door.opened.v1 of front: {"by":"ann"}
 * door.closed.v1 of front: {}
 * door.opened.v1 of front: {"by":"bob"}
 * events: 3 · waiting: 0
 */
