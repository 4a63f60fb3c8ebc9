import * as v from "valibot";
import { Ticket } from "#actors/access/ticket/ticket.ts";
import { endpoint, endpoints, Reply } from "#infra/http/endpoint.ts";
import { type Principal, principalOf } from "#infra/http/principal.ts";
import { newTicket, ticketKey } from "../ticket/secret.ts";
import type { AccessDeps } from "./deps.ts";

/** Who asks where nobody has to say. */
const NOBODY: Principal = { keyId: "none", scopes: ["admin"] };

/** Tickets: what a page opens a socket with, as it can send no header there, and a key belongs in no address. */
export function ticketRoutes({ troupe }: AccessDeps) {
  return endpoints("tickets", [
    endpoint(
      {
        tag: "Keys",
        noun: "ticket",
        scope: "key",
        method: "POST",
        path: "/tickets",
        summary: "Get a ticket for one socket",
        description:
          "Opens one WebSocket at `/ws?ticket=…` within 30 s, at any node, with what the key that asked for it may follow.",
        answer: {
          status: 201,
          description: "The ticket",
          schema: v.object({ ticket: v.string(), expiresAt: v.string() }),
        },
      },
      async ({ request, look }) => {
        const { keyId, prefix, scopes } = principalOf(request) ?? NOBODY;
        const ticket = newTicket();
        const until = await troupe()
          .ref(Ticket, ticketKey(ticket))
          .issue({ keyId, prefix, scopes: [...scopes] }, look);
        return new Reply(201, { ticket, expiresAt: new Date(until).toISOString() }, { "cache-control": "no-store" });
      },
    ),
  ]);
}
