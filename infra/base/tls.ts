import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";

/** What a client of a TLS server has of its own. All are PEM texts. */
export interface ClientTls {
  /** Certificates that are trusted beside the system's. */
  readonly ca?: string;
  /** The certificate shown to servers that ask for one, and its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** Where the parts of a {@link ClientTls} are kept. */
export interface ClientTlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const KINDS = {
  ca: /-----BEGIN CERTIFICATE-----/,
  cert: /-----BEGIN CERTIFICATE-----/,
  key: /-----BEGIN [A-Z ]*KEY-----/,
};

/**
 * Reads certificates and key.
 * @throws {TypeError} a file cannot be read or holds something else; a certificate stands without its key, or the key without.
 */
export function readClientTls(files: ClientTlsFiles): ClientTls {
  if ((files.cert === undefined) !== (files.key === undefined))
    throw new TypeError("Cannot use a client certificate without its key, nor a key without its certificate");
  const read = (part: keyof ClientTlsFiles): Partial<Record<keyof ClientTlsFiles, string>> => {
    const path = files[part];
    if (path === undefined) return {};
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch {
      throw new TypeError(`Cannot read the file ${path}`);
    }
    if (!KINDS[part].test(text)) throw new TypeError(`Cannot use ${path}: expected PEM, -----BEGIN …`);
    return { [part]: text };
  };
  return { ...read("ca"), ...read("cert"), ...read("key") };
}

/** Options of `tls.connect`. Whoever passes them checks the server's certificate: its signer, its time and its name. */
export interface TlsConnect {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: true;
}

/** What clients are given to connect by. `ca` alone would take the place of the system's certificates: those stay trusted. */
export function tlsConnect({ ca, cert, key }: ClientTls = {}): TlsConnect {
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca].join("\n") }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
