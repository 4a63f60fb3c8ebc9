import { readAddresses } from "../base/address.ts";

/** What a NATS address says. */
export interface NatsAddress {
  readonly servers: string[];
  /** The servers without credentials, for logs. */
  readonly address: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** One of the servers is to be spoken to by TLS alone: then all are. */
  readonly encrypted: boolean;
}

/**
 * Reads `nats://[user:password@|token@]host[:port][,…]`. Credentials are taken from the first server that has some.
 * @throws {TypeError} not an address; it does not say what was given.
 */
export function parseNatsUrl(text: string): NatsAddress {
  const read = readAddresses(text).map((address) => {
    if (address === undefined || address.hosts.length === 0)
      throw new TypeError("Cannot read the address of NATS: expected nats://[user:password@]host[:port][,…]");
    return address;
  });
  const servers = read.flatMap(({ scheme = "nats", hosts }) =>
    hosts.map((host) => `${scheme}://${/:\d+$/.test(host) ? host : `${host}:4222`}`),
  );
  const address = servers.join(",");
  const encrypted = read.some(({ scheme }) => scheme === "tls");
  const credentials = read.find((one) => one.credentials !== undefined)?.credentials;
  if (credentials === undefined || credentials.user === "") return { servers, address, encrypted };
  const { user, password } = credentials;
  return {
    servers,
    address,
    encrypted,
    ...(password === undefined || password === "" ? { token: user } : { user, pass: password }),
  };
}
