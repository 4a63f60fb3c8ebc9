import * as v from "valibot";
import { Scope } from "#actors/keyring/messages.ts";

/** Who a ticket stands for: the key that asked for it. */
export const TicketHolder = v.object({ keyId: v.string(), scopes: v.array(Scope) });
export type TicketHolder = v.InferOutput<typeof TicketHolder>;

export const IssueTicket = v.strictObject({ ...TicketHolder.entries });
