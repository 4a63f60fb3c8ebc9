import type { TicketHolder } from "#actors/access/ticket/messages.ts";
import { ticketKey } from "#actors/access/ticket/secret.ts";
import type { Access } from "#infra/http/access.ts";
import { mayUse, type Principal } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";
import { targetOf } from "#infra/http/target.ts";
import type { Guard } from "../../access/guard/guard.ts";
import type { SocketCaller } from "./access.ts";

const TICKET = /^tkt_[A-Za-z0-9_-]{43}$/;

/**
 * Who asks for a socket: the holder of the ticket in its address, or of the bearer key in its headers. For
 * where authentication is on.
 * @param redeem takes a ticket by {@link ticketKey}; `null` where there is none that is good.
 * @throws {Problem} 401 with neither, or not a good one; 429.
 */
export async function socketCaller(
  request: Request,
  guard: Guard,
  redeem: (key: string) => Promise<TicketHolder | null>,
): Promise<SocketCaller> {
  const ticket = new URLSearchParams(targetOf(request).query).get("ticket");
  if (ticket === null) return callerOf(await guard.caller(request));
  await guard.countAddress(request);
  const holder = TICKET.test(ticket) ? await redeem(ticketKey(ticket)) : null;
  if (holder === null)
    throw new Problem(401, "ticket.invalid", "The ticket is unknown, used or expired: POST /tickets gives a new one", {
      headers: { "www-authenticate": 'Bearer realm="troupe"' },
    });
  return callerOf(holder);
}

/** The socket caller a key makes. */
export function callerOf(principal: Principal): SocketCaller {
  return { authenticated: true, principal, mayFollow: (topic) => mayUse(principal, scopeOf(topic)) };
}

/** The topics of the shop: whoever may order may follow them. */
const SHOP_TOPICS: ReadonlySet<string> = new Set([
  "orders",
  "stock",
  "deliveries",
  "notifications",
  "simulations",
  "invariants",
]);

/** Topics are named after what they tell of: `orders/ord_1`, `services`. */
function scopeOf(topic: string): Access {
  const [first] = topic.split("/");
  if (SHOP_TOPICS.has(first ?? "")) return "orders";
  return first === "services" || first === "events" ? first : "admin";
}
