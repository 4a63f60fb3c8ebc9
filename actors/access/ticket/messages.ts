import * as v from "valibot";
import { Scope } from "#actors/access/keyring/messages.ts";

/** Who a ticket stands for: the key that asked for it, by the secret with this beginning. */
export const TicketHolder = v.object({ keyId: v.string(), prefix: v.optional(v.string()), scopes: v.array(Scope) });
export type TicketHolder = v.InferOutput<typeof TicketHolder>;

export const IssueTicket = v.strictObject({ ...TicketHolder.entries });
