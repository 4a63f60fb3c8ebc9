/**
 * Testing: a clock that is turned by hand, and a store whose answer gets lost. Half an hour passes in a blink, and a
 * crash at the worst moment is one line.
 *
 * Run it:  bun runtime/examples/07-testing.ts
 */
import { actor, createTroupe, memory } from "troupe";
import { FaultyStore, ManualClock } from "troupe/testing";
import * as v from "valibot";

const Offer = actor("offer", {
  state: v.object({ status: v.picklist(["open", "accepted", "lapsed"]), accepted: v.number() }),
  initial: () => ({ status: "open" as const, accepted: 0 }),
  messages: ({ command, query }) => ({
    make: command({}, (c) => c.timers.set("lapse", { in: "30m", send: "lapse" })),
    accept: command({ out: v.number() }, (c) => {
      c.require(c.state.status !== "lapsed", "too_late");
      c.state = { status: "accepted", accepted: c.state.accepted + 1 };
      c.timers.cancel("lapse");
      return c.state.accepted;
    }),
    lapse: command({}, (c) => void (c.state.status = "lapsed")),
    status: query({ out: v.string() }, (c) => c.state.status),
  }),
});

// One clock for the node and the store: leases are counted by it too.
const clock = new ManualClock();
const faulty = new FaultyStore(memory("test", clock));
const troupe = await createTroupe({ actors: [Offer], stores: { default: faulty.store }, clock });

const late = troupe.ref(Offer, "late");
await late.make();
await clock.advance("29m");
console.log("after 29m:", await late.status());
await clock.advance("1m");
console.log("after 30m:", await late.status());

// The commit happens, but the connection breaks before the answer: was it written or not? The runtime finds out before
// it replies, and writes nothing twice.
const quick = troupe.ref(Offer, "quick");
await quick.make();
faulty.next("lost-after");
const accepted = quick.accept(undefined, { id: "click-1" });
await clock.advance("1s"); // the pause before the runtime looks again is counted by the clock, too
console.log("accepted :", await accepted, "time");
console.log("repeated :", await quick.accept(undefined, { id: "click-1" }), "time");

// A commit that the store refuses: the caller is told, and nothing of the turn is left.
faulty.next("refused");
const failed = await quick.accept().catch((error: unknown) => error);
console.log("refused  :", String(failed));
console.log("status   :", await quick.status());

await troupe.stop();

/* Prints:
 * after 29m: open
 * after 30m: lapsed
 * accepted : 1 time
 * repeated : 1 time
 * refused  : TroupeError: Cannot commit the turn as the store refused it
 * status   : accepted
 */
