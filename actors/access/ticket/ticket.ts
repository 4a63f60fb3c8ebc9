import * as v from "valibot";
import { actor } from "#runtime";
import { IssueTicket, TicketHolder } from "./messages.ts";

/** How long a ticket is good, in milliseconds. */
export const TICKET_MS = 30_000;

const State = v.object({ holder: v.nullable(TicketHolder), until: v.number() });
type State = v.InferOutput<typeof State>;

/**
 * `ticket/<SHA-256 of the ticket>`: lets its bearer open one socket within {@link TICKET_MS}, at any node. It is gone once it
 * was redeemed or has run out.
 */
export const Ticket = actor("ticket", {
  key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  state: State,
  initial: (): State => ({ holder: null, until: 0 }),
  messages: ({ command }) => ({
    issue: command({ in: IssueTicket, out: v.number() }, (c, holder) => {
      c.require(c.state.holder === null, "issued_before");
      c.state.holder = holder;
      c.state.until = c.now + TICKET_MS;
      c.timers.set("end", { in: TICKET_MS, send: "end" });
      return c.state.until;
    }),

    /** Whose it is; `null` where there is none that is good. */
    redeem: command({ out: v.nullable(TicketHolder) }, (c): TicketHolder | null => {
      const { holder, until } = c.state;
      c.destroy(); // also one that never was: a guess leaves no trace
      if (holder !== null) c.timers.cancel("end");
      return until > c.now ? holder : null;
    }),

    end: command({}, (c) => c.destroy()),
  }),
});
