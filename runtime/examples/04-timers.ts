/**
 * Timers: durable, set and cancelled with the turn's commit, never early. Here a cup of tea that gets cold, and a
 * heartbeat that sets itself anew.
 *
 * Run it:  bun runtime/examples/04-timers.ts
 */
import { actor, createTroupe, memory } from "troupe";
import * as v from "valibot";

const Cup = actor("cup", {
  state: v.object({ tea: v.string(), sips: v.number() }),
  initial: () => ({ tea: "none", sips: 0 }),
  messages: ({ command, query }) => ({
    pour: command({ in: v.string(), out: v.string() }, (c, tea) => {
      c.state.tea = tea;
      // A name, a time, a command of this actor. Setting the same name again replaces it.
      c.timers.set("cold", { in: "60ms", send: "coolDown" });
      c.timers.set("sip", { in: "20ms", send: "sip" });
      return c.state.tea;
    }),
    sip: command({}, (c) => {
      c.state.sips++;
      if (c.state.sips < 2) c.timers.set("sip", { in: "20ms", send: "sip" }); // a repeating timer sets itself again
    }),
    coolDown: command({}, (c) => {
      c.state.tea = `cold ${c.state.tea}`;
    }),
    drink: command({ out: v.string() }, (c) => {
      c.timers.cancel("cold"); // with the commit of this turn, or not at all
      return `drank ${c.state.tea}`;
    }),
    look: query({ out: v.string() }, (c) => `${c.state.tea}, ${c.state.sips} sips`),
  }),
});

const troupe = await createTroupe({ actors: [Cup], stores: { default: memory() } });

const mine = troupe.ref(Cup, "mine");
await mine.pour("oolong");
console.log("drink :", await mine.drink(), "· its timer is gone");

const yours = troupe.ref(Cup, "yours");
console.log("poured:", await yours.pour("assam"));
while ((await yours.look()) !== "cold assam, 2 sips") await new Promise((next) => setTimeout(next, 5));
console.log("later :", await yours.look());

await troupe.stop();

/* Prints:
 * drink : drank oolong · its timer is gone
 * poured: assam
 * later : cold assam, 2 sips
 */
