const TICKET_BYTES = 32;

/** A new ticket: 256 random bits. */
export function newTicket(): string {
  return `tkt_${Buffer.from(crypto.getRandomValues(new Uint8Array(TICKET_BYTES))).toString("base64url")}`;
}

/** The actor that knows a ticket. Its own name is of no use to a reader of the store. */
export function ticketKey(ticket: string): string {
  return new Bun.CryptoHasher("sha256").update(ticket).digest("hex");
}
