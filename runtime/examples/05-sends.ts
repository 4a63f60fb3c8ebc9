/**
 * Sends: a message to another actor that is committed with the turn that makes it. A transfer can therefore not lose
 * money: either the withdrawal and the deposit that is to come are both there, or neither.
 *
 * Run it:  bun runtime/examples/05-sends.ts
 */
import { actor, createTroupe, memory } from "troupe";
import * as v from "valibot";

const Account = actor("account", {
  state: v.object({ balance: v.number() }),
  initial: () => ({ balance: 0 }),
  messages: ({ command, query }) => ({
    deposit: command({ in: v.number() }, (c, cents) => void (c.state.balance += cents)),
    transfer: command({ in: v.object({ to: v.string(), cents: v.number() }) }, (c, { to, cents }) => {
      c.require(c.state.balance >= cents, "insufficient_funds");
      c.state.balance -= cents;
      // Durable with this turn, delivered after it, in order, once. Its input is checked here, in the sender's turn.
      c.send(Account, to, "deposit", cents);
    }),
    balance: query({ out: v.number() }, (c) => c.state.balance),
  }),
});

const troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
const balance = (key: string): Promise<number> => troupe.ref(Account, key).balance();

await troupe.ref(Account, "ann").deposit(1_000);

// Fifty transfers at once between two accounts, then one too many.
const transfers = Array.from({ length: 50 }, () => troupe.ref(Account, "ann").transfer({ to: "bob", cents: 20 }));
await Promise.all(transfers);
const refused = await troupe
  .ref(Account, "ann")
  .transfer({ to: "bob", cents: 1 })
  .catch((error: unknown) => error);
console.log("ann   :", await balance("ann"), "·", String(refused));

// The deposits follow a moment later. Nothing is lost on the way, and nothing comes twice.
while ((await balance("bob")) < 1_000) await new Promise((next) => setTimeout(next, 5));
console.log("bob   :", await balance("bob"));
console.log("sum   :", (await balance("ann")) + (await balance("bob")));

await troupe.stop();

/* Prints:
 * ann   : 0 · RefusedError: Refused: insufficient_funds
 * bob   : 1000
 * sum   : 1000
 */
