import ipaddr, { type IPv4, type IPv6 } from "ipaddr.js";

/** Networks whose `X-Forwarded-For` is believed. */
export type TrustedProxies = readonly (readonly [IPv4 | IPv6, number])[];

const IPV6_GROUPS = 4;

/**
 * Reads addresses and networks, as in `10.0.0.0/8` and `::1`.
 * @throws {TypeError} naming the one that is neither.
 */
export function trustedProxies(list: readonly string[]): TrustedProxies {
  return list.map((text) => {
    try {
      if (text.includes("/")) return ipaddr.parseCIDR(text);
      const address = ipaddr.process(text);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    } catch {
      throw new TypeError(`Cannot trust the proxy "${text}": expected an address or a network, as in 10.0.0.0/8`);
    }
  });
}

/**
 * The address a request comes from: its peer, or where that is a trusted proxy, the last address in `X-Forwarded-For`
 * that is none. What stands before it was written by whoever sent the request.
 */
export function clientAddress(peer: string, forwardedFor: string | null, trusted: TrustedProxies): string {
  let client = peer;
  const hops = (forwardedFor ?? "").split(",").map((hop) => hop.trim());
  while (isTrusted(client, trusted)) {
    const hop = hops.pop();
    if (hop === undefined || !ipaddr.isValid(hop)) break;
    client = hop;
  }
  return client;
}

/**
 * What callers of an address are counted under: an IPv4 address, or the /64 of an IPv6 one, as one customer may use all of
 * that.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return "unknown";
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  return `${(parsed as IPv6).parts
    .slice(0, IPV6_GROUPS)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}

function isTrusted(address: string, trusted: TrustedProxies): boolean {
  if (trusted.length === 0 || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return trusted.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network as never, bits));
}
