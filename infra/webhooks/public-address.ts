import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Whether an address is one of the public internet. Everything else is refused: loopback, private and link-local
 * networks, carrier-grade NAT, multicast, documentation and reserved ranges, and every form that carries an IPv4
 * address inside an IPv6 one (mapped, NAT64, 6to4, Teredo), as what it leads to cannot be told by looking at it.
 *
 * The ranges are IANA's special-purpose registries, as `ipaddr.js` knows them.
 */
export function isPublicAddress(address: string): boolean {
  // The library also reads `1.2.3` and `0x7f.1`.
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast") return false;
  if (parsed.kind() === "ipv4") return true;
  // Of IPv6 only 2000::/3 is given out to anybody; the deprecated IPv4-compatible ::/96 counts as unicast otherwise.
  return parsed.match(ipaddr.parseCIDR("2000::/3"));
}
