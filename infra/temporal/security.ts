import { rootCertificates } from "node:tls";
import type { TLSConfig } from "@temporalio/client";
import type { ClientTls } from "../base/tls.ts";

/** How Temporal is spoken to. An API key is never sent without TLS. */
export interface TemporalSecurity {
  /** Certificates beside what the system trusts, and ours for mTLS; `{}` for the system's alone. @default no encryption */
  readonly tls?: ClientTls | undefined;
  /** The name that the server's certificate has to be made for. Needed where the address is an IP. @default its host */
  readonly serverName?: string | undefined;
  /** Sent with each call. Implies TLS. */
  readonly apiKey?: string | undefined;
}

const encoder = new TextEncoder();

/** Options of the SDK's connections, that of clients and that of workers. */
export function securityOptions({ tls, serverName, apiKey }: TemporalSecurity = {}): {
  tls?: TLSConfig;
  apiKey?: string;
} {
  if (tls === undefined && apiKey === undefined) return {};
  const { ca, cert, key } = tls ?? {};
  return {
    tls: {
      ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
      // It would take the place of the system's certificates: those stay trusted.
      ...(ca === undefined ? {} : { serverRootCACertificate: encoder.encode([...rootCertificates, ca].join("\n")) }),
      ...(cert === undefined || key === undefined
        ? {}
        : { clientCertPair: { crt: encoder.encode(cert), key: encoder.encode(key) } }),
    },
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}
