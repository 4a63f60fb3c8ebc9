import { readAddresses } from "#infra/base/address.ts";

/** What everybody tries first. */
const KNOWN_TO_ALL = new Set([
  "",
  "admin",
  "changeme",
  "default",
  "guest",
  "password",
  "postgres",
  "root",
  "secret",
  "troupe",
]);

/** Whether a host is of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Whether one of some addresses leads to another machine with a password that everybody knows: the user's own name, or one that servers
 * come with. An address without a user says nothing of passwords: the server may ask for a certificate, or for none.
 */
export function hasDefaultCredentials(addresses: string): boolean {
  return readAddresses(addresses).some((address) => {
    const { credentials, hosts = [] } = address ?? {};
    const { user = "", password = "" } = credentials ?? {};
    if (user === "" || hosts.every((host) => isLoopback(host.replace(/:\d+$/, "")))) return false;
    return password === user || KNOWN_TO_ALL.has(password.toLowerCase());
  });
}
