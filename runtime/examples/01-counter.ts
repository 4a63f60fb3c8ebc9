/**
 * A counter: state, a command that changes it, a query that reads it.
 *
 * Run it:  bun runtime/examples/01-counter.ts
 */
import { actor, createTroupe, memory } from "troupe";
import * as v from "valibot";

// A definition holds no state and starts nothing. Schemas say what goes in, what comes out, and what is kept.
const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => {
      c.state.count += by; // change the state in place
      return c.state.count; // reaches the caller once the change is committed
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

// A node. `memory()` forgets everything at the end; `postgresStore(url)` in its place does not.
const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });

// A ref is typed: a method per message. The actor `counter/visits` exists from its first command on.
const visits = troupe.ref(Counter, "visits");
console.log("add 2:", await visits.add({ by: 2 }));
console.log("add 3:", await visits.add({ by: 3 }));
console.log("value:", await visits.value());

// Another key is another actor. A hundred callers at once are a hundred turns, one after the other.
const races = troupe.ref(Counter, "races");
await Promise.all(Array.from({ length: 100 }, () => races.add({ by: 1 })));
console.log("races:", await races.value(), "· visits:", await visits.value());

await troupe.stop();

/* Prints:
 * add 2: 2
 * add 3: 5
 * value: 5
 * races: 100 · visits: 5
 */
