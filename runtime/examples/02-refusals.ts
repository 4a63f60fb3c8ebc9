/**
 * Saying no: refusals with a reason, inputs that do not fit, handlers that throw. None of them leaves a trace.
 *
 * Run it:  bun runtime/examples/02-refusals.ts
 */
import { actor, createTroupe, InvalidInputError, memory, RefusedError, TroupeError } from "troupe";
import * as v from "valibot";

const Amount = v.object({ amount: v.pipe(v.number(), v.integer(), v.minValue(1)) });

const Account = actor("account", {
  key: v.pipe(v.string(), v.regex(/^acc_[a-z]+$/, "must look like acc_ann")),
  state: v.object({ balance: v.number() }),
  initial: () => ({ balance: 10 }),
  messages: ({ command, query }) => ({
    withdraw: command({ in: Amount, out: v.number() }, (c, { amount }) => {
      c.state.balance -= amount; // thrown away with the turn when it is refused
      c.require(c.state.balance >= 0, "insufficient_funds", { missing: -c.state.balance });
      return c.state.balance;
    }),
    close: command({}, (c) => {
      c.state.balance = 0;
      throw new Error("the printer is on fire");
    }),
    balance: query({ out: v.number() }, (c) => c.state.balance),
  }),
});

const troupe = await createTroupe({ actors: [Account], stores: { default: memory() } });
const account = troupe.ref(Account, "acc_ann");

/** What a caller does: compare classes or `code`, both from closed lists. */
async function tell(what: string, call: Promise<unknown>): Promise<void> {
  try {
    console.log(`${what}:`, await call);
  } catch (error) {
    if (error instanceof RefusedError) console.log(`${what}: refused, ${error.reason}`, JSON.stringify(error.data));
    else if (error instanceof InvalidInputError)
      console.log(`${what}: invalid,`, error.issues.map(({ path, message }) => `${path} ${message}`).join("; "));
    else if (error instanceof TroupeError) console.log(`${what}: ${error.code}, retryable: ${error.retryable}`);
    else throw error;
  }
}

await tell("withdraw 4", account.withdraw({ amount: 4 }));
await tell("withdraw 9", account.withdraw({ amount: 9 }));
await tell("withdraw 0", account.withdraw({ amount: 0 }));
await tell("wrong key ", troupe.ref(Account, "ANN").balance());
await tell("close     ", account.close()); // the text of what was thrown stays in the log
await tell("balance   ", account.balance());

await troupe.stop();

/* Prints:
 * withdraw 4: 6
 * withdraw 9: refused, insufficient_funds {"missing":3}
 * withdraw 0: invalid, /amount Invalid value: Expected >=1 but received 0
 * wrong key : invalid, /key must look like acc_ann
 * close     : turn_failed, retryable: false
 * balance   : 6
 */
