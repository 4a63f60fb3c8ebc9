/**
 * What a request asks for, read once: guard, router, metrics and sockets all go by this one reading of its address.
 *
 * The server makes a URL of the `Host` header and the request target. A header that is no host would move the borders of that
 * URL: what one reader takes for the path another takes for the name of the server. So the header is checked first, and
 * a request that cannot be read in one way only is refused (RFC 9112, 3.2).
 */
import ipaddr from "ipaddr.js";
import { Problem } from "./problem.ts";

/** The address of a request. */
export interface Target {
  /** The host without its port, in lower case: `shop.example`, `[::1]`. */
  readonly host: string;
  /** As it was sent, without query; dots are resolved, nothing is decoded: `/orders/a%20b`. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
}

/** `uri-host [":" port]` of RFC 9110, 7.2, without the comma: a header that was sent twice arrives with one. */
const HOST = /^(\[[0-9a-fA-F:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2}){1,253})(?::(\d{0,5}))?$/;
const MAX_PORT = 65_535;

const TARGET = Symbol("target");
type Read = Request & { [TARGET]?: Target };

/**
 * The address of a request; the same one however often it is asked.
 * @throws {Problem} 400 `host.invalid` for a `Host` that is missing, repeated or no host; 400 `target.invalid` for an address
 * with a fragment.
 */
export function targetOf(request: Request): Target {
  const read: Read = request;
  return (read[TARGET] ??= readTarget(request));
}

function readTarget({ url, headers }: Request): Target {
  const scheme = url.indexOf("://");
  // Where the host is none, the URL is no more than the path.
  if (scheme < 0) throw invalidHost(headers.get("host"));
  const start = url.indexOf("/", scheme + 3);
  const rest = start < 0 ? "/" : url.slice(start);
  // Only a request that came over no connection has none.
  const sent = headers.get("host") ?? url.slice(scheme + 3, start < 0 ? undefined : start);
  const host = hostIn(sent);
  if (host === undefined) throw invalidHost(sent);
  if (rest.includes("#"))
    throw new Problem(400, "target.invalid", "The address holds a fragment: leave out what begins with #");
  const query = rest.indexOf("?");
  return query < 0
    ? { host, path: rest, query: "" }
    : { host, path: rest.slice(0, query), query: rest.slice(query + 1) };
}

let lastHeader: string | undefined;
let lastHost: string | undefined;

/** The host of a `Host` header; `undefined` where it is none. */
export function hostIn(header: string): string | undefined {
  if (header === lastHeader) return lastHost; // nearly all requests have the same one
  lastHost = readHost(header);
  lastHeader = header;
  return lastHost;
}

function readHost(header: string): string | undefined {
  const [, host, port = ""] = HOST.exec(header) ?? [];
  if (host === undefined || Number(port) > MAX_PORT) return undefined;
  // What stands behind the percent sign may be no part of a host.
  if (host.includes("%") && !URL.canParse(`http://${host}/`)) return undefined;
  if (host.startsWith("[") && !ipaddr.IPv6.isValid(host.slice(1, -1))) return undefined;
  return host.toLowerCase();
}

/**
 * Whether a host is a name of this machine that no one else can make point here: `localhost` and what ends in it, and loopback
 * addresses as they are written by everybody. A page of another site that reaches us by a name of its own is told by this.
 */
export function isLoopbackHost(host: string): boolean {
  if (host === lastLoopback) return true;
  const loopback = isLoopback(host);
  if (loopback) lastLoopback = host;
  return loopback;
}

let lastLoopback: string | undefined;

function isLoopback(host: string): boolean {
  if (host.startsWith("[")) {
    const bare = host.slice(1, -1);
    return ipaddr.isValid(bare) && ipaddr.process(bare).range() === "loopback";
  }
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return ipaddr.IPv4.isValidFourPartDecimal(name) && ipaddr.IPv4.parse(name).range() === "loopback";
}

function invalidHost(received: string | null): Problem {
  return new Problem(400, "host.invalid", "The request needs one Host header, as in shop.example or 127.0.0.1:3000", {
    issues: [
      {
        path: "header/host",
        message: "is not usable",
        expected: "one host, with or without a port",
        received: received === null ? "none" : `${received.length} characters`,
      },
    ],
  });
}
