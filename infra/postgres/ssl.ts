import type { checkServerIdentity } from "node:tls";
import { readClientTls, type TlsConnect, tlsConnect } from "../base/tls.ts";

/** How the driver is to encrypt: not at all, in its own words for ways that check nothing, or by options of `tls.connect`. */
export type Ssl =
  | false
  | "allow"
  | "prefer"
  | "require"
  | (TlsConnect & { checkServerIdentity?: typeof checkServerIdentity });

/** The settings of libpq that are read here, and are none of the server's. */
const SETTINGS = ["sslmode", "ssl", "sslrootcert", "sslcert", "sslkey"] as const;

/**
 * Takes libpq's settings of TLS out of an address: `?sslmode=verify-full&sslrootcert=/etc/ca.pem&sslcert=…&sslkey=…`.
 * `verify-full` checks who signed the server's certificate, that it is in force, and that it is made for this host;
 * `verify-ca` does not check the host. `sslrootcert=system`, or none: what the system trusts. Without `sslmode` nothing is
 * encrypted.
 * @throws {TypeError} another `sslmode`, or a file that cannot be read.
 */
export function readSsl(address: string): { readonly url: string; readonly ssl: Ssl } {
  const url = new URL(address);
  const { searchParams: given } = url;
  const mode = given.get("sslmode") ?? given.get("ssl") ?? (given.has("sslrootcert") ? "verify-full" : "disable");
  const root = given.get("sslrootcert");
  const files = {
    ca: root === null || root === "system" ? undefined : root,
    cert: given.get("sslcert") ?? undefined,
    key: given.get("sslkey") ?? undefined,
  };
  for (const name of SETTINGS) given.delete(name);
  return { url: url.href, ssl: sslOf(mode, files) };
}

function sslOf(mode: string, files: Parameters<typeof readClientTls>[0]): Ssl {
  switch (mode) {
    case "disable":
    case "false":
      return false;
    case "allow":
    case "prefer":
    case "require":
      return mode;
    case "true":
    case "verify-full":
      return tlsConnect(readClientTls(files));
    case "verify-ca":
      return { ...tlsConnect(readClientTls(files)), checkServerIdentity: () => undefined };
    default:
      throw new TypeError(
        `Cannot use the sslmode ${JSON.stringify(mode.slice(0, 20))}: expected disable, allow, prefer, require, verify-ca or verify-full`,
      );
  }
}
