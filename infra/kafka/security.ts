import type { BaseOptions } from "@platformatic/kafka";
import { type ClientTls, tlsConnect } from "../base/tls.ts";

/** How a client proves who it is. SCRAM never sends the password; PLAIN does, and belongs into TLS. */
export interface KafkaSasl {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** How brokers are spoken to: with `tls` encrypted (SSL), with `sasl` as a user; with both SASL_SSL. */
export interface KafkaSecurity {
  /** Certificates beside what the system trusts; `{}` for the system's alone. @default no encryption */
  readonly tls?: ClientTls | undefined;
  /** @default nobody */
  readonly sasl?: KafkaSasl | undefined;
}

/** What every client of the brokers is made with. */
export function connectionOptions(
  brokers: readonly string[],
  { tls, sasl }: KafkaSecurity = {},
): Pick<BaseOptions, "bootstrapBrokers" | "tls" | "sasl"> {
  return {
    bootstrapBrokers: [...brokers],
    ...(tls === undefined ? {} : { tls: tlsConnect(tls) }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}
