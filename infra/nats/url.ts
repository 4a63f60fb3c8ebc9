/** What a NATS address says. */
export interface NatsAddress {
  readonly servers: string[];
  /** The servers without credentials, for logs. */
  readonly address: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/**
 * Reads `nats://[user:password@|token@]host[:port][,…]`. Credentials are taken from the first server that has some.
 * @throws {TypeError} not an address.
 */
export function parseNatsUrl(text: string): NatsAddress {
  const urls = text.split(",").map((part) => new URL(part.includes("://") ? part.trim() : `nats://${part.trim()}`));
  const named = urls.find((url) => url.username !== "");
  const servers = urls.map((url) => `${url.protocol}//${url.hostname}:${url.port === "" ? "4222" : url.port}`);
  const user = decodeURIComponent(named?.username ?? "");
  const pass = decodeURIComponent(named?.password ?? "");
  if (user === "") return { servers, address: servers.join(",") };
  return { servers, address: servers.join(","), ...(pass === "" ? { token: user } : { user, pass }) };
}
