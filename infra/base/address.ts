/**
 * Addresses of servers as people write them: `scheme://user:password@host:port,host:port/path?settings`, several of them
 * separated by commas, or without a scheme.
 *
 * Read part by part, since a password may hold commas, `@` and whatever else, and a URL with several hosts is none to the
 * platform. Where it cannot be told which part is the password, nothing is shown at all.
 */

/** One address, read. */
export interface ServerAddress {
  /** As in `nats`; `undefined`: none is written. */
  readonly scheme: string | undefined;
  /** As written, percent-decoded; `undefined`: no `@` stands before the hosts. */
  readonly credentials: { readonly user: string; readonly password: string | undefined } | undefined;
  /** Each `host` or `host:port`. */
  readonly hosts: readonly string[];
  /** With its slash; empty where there is none. Settings behind `?` are left out. */
  readonly path: string;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
/** A comma that begins another address. Those that come as several have these schemes. */
const NEXT = /,\s*(?=(?:nats|tls|wss?|amqps?|rediss?|postgres(?:ql)?|https?|tcp):\/\/)/i;
const HOST = /^(?:[\w.-]+|\[[0-9a-f:.%]+\])(?::\d{1,5})?$/i;

/** Reads addresses. `undefined` in place of one that cannot be read for sure. */
export function readAddresses(text: string): readonly (ServerAddress | undefined)[] {
  return text.split(NEXT).map((part) => readAddress(part.trim()));
}

function readAddress(text: string): ServerAddress | undefined {
  const scheme = SCHEME.exec(text)?.[1];
  const rest = scheme === undefined ? text : text.slice(scheme.length + "://".length);
  const end = rest.search(/[/?#]/);
  const [authority, tail] = end < 0 ? [rest, ""] : [rest.slice(0, end), rest.slice(end)];
  // A password with a slash in it, or an `@` that is no concern of ours: these cannot be told apart.
  if (tail.includes("@")) return undefined;
  const at = authority.lastIndexOf("@");
  const hosts = authority
    .slice(at + 1)
    .split(",")
    .map((host) => host.trim());
  const isPath = scheme !== undefined && authority === "";
  if (!isPath && !hosts.every((host) => HOST.test(host))) return undefined;
  const credentials = at < 0 ? undefined : readCredentials(authority.slice(0, at));
  return { scheme, credentials, hosts: isPath ? [] : hosts, path: tail.split(/[?#]/, 1)[0] ?? "" };
}

function readCredentials(text: string): ServerAddress["credentials"] {
  const colon = text.indexOf(":");
  if (colon < 0) return { user: decoded(text), password: undefined };
  return { user: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Addresses as they may be shown and logged: schemes, hosts, ports and paths; no users, passwords or settings. What cannot be
 * read for sure becomes `…`.
 */
export function withoutCredentials(text: string): string {
  return text
    .split(NEXT)
    .map((part) => {
      const address = readAddress(part.trim());
      const scheme = address?.scheme ?? SCHEME.exec(part.trim())?.[1];
      const shown = address === undefined ? "…" : address.hosts.join(",") + address.path;
      return scheme === undefined ? shown : `${scheme}://${shown}`;
    })
    .join(",");
}
