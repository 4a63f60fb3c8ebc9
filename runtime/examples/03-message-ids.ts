/**
 * The same id, the same answer: a message that carries an id takes effect once, however often it comes.
 *
 * Run it:  bun runtime/examples/03-message-ids.ts
 */
import { actor, createTroupe, memory, TroupeError } from "troupe";
import * as v from "valibot";

const Till = actor("till", {
  state: v.object({ total: v.number() }),
  initial: () => ({ total: 0 }),
  messages: ({ command, query }) => ({
    charge: command({ in: v.object({ cents: v.number() }), out: v.string() }, (c, { cents }) => {
      c.state.total += cents;
      return `receipt over ${cents}, total ${c.state.total}`;
    }),
    total: query({ out: v.number() }, (c) => c.state.total),
  }),
});

const store = memory();
const troupe = await createTroupe({ actors: [Till], stores: { default: store } });
const till = troupe.ref(Till, "front");

// The id is the caller's: a request's Idempotency-Key, an event's id, an activity's id.
console.log("first :", await till.charge({ cents: 500 }, { id: "payment-1" }));
console.log("second:", await till.charge({ cents: 250 }, { id: "payment-2" }));

// A retry gets the stored reply, not a new one; the reply is committed with the turn, so a crash between does not matter.
console.log("again :", await till.charge({ cents: 500 }, { id: "payment-1" }));

// Five at once are one.
const racing = await Promise.all(Array.from({ length: 5 }, () => till.charge({ cents: 100 }, { id: "payment-3" })));
console.log("five  :", new Set(racing).size, "answer, total", await till.total());

// The same id with another input is a mistake of the caller, and told as such.
const reused = await till.charge({ cents: 999 }, { id: "payment-1" }).catch((error: unknown) => error);
console.log("reused:", reused instanceof TroupeError ? reused.code : reused);

// The ids are in the store: the next process knows them too.
await troupe.stop();
const next = await createTroupe({ actors: [Till], stores: { default: store } });
console.log("later :", await next.ref(Till, "front").charge({ cents: 500 }, { id: "payment-1" }));

await next.stop();

/* Prints:
 * first : receipt over 500, total 500
 * second: receipt over 250, total 750
 * again : receipt over 500, total 500
 * five  : 1 answer, total 850
 * reused: message_id_reused
 * later : receipt over 500, total 500
 */
