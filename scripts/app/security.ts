import { type ClientTls, readClientTls } from "#infra/base/tls.ts";
import type { KafkaSecurity } from "#infra/kafka/security.ts";
import type { TemporalSecurity } from "#infra/temporal/security.ts";
import { type Settings, SettingsError } from "./settings.ts";

/** How this process proves who it is to the servers, and whom it trusts. */
export interface Security {
  /** For addresses that say TLS by their scheme: `tls://`, `amqps://`, `rediss://`. */
  readonly tls: ClientTls;
  readonly kafka: KafkaSecurity;
  readonly temporal: TemporalSecurity;
}

/** Nobody in particular, without encryption. */
export const OPEN: Security = { tls: {}, kafka: {}, temporal: {} };

type SecuritySettings = Pick<
  Settings,
  | "TLS_CA_FILE"
  | "TLS_CERT_FILE"
  | "TLS_KEY_FILE"
  | "KAFKA_TLS"
  | "KAFKA_SASL_MECHANISM"
  | "KAFKA_SASL_USERNAME"
  | "KAFKA_SASL_PASSWORD"
  | "TEMPORAL_TLS"
  | "TEMPORAL_TLS_SERVER_NAME"
  | "TEMPORAL_API_KEY"
>;

/**
 * Reads the certificates that the settings name.
 * @throws {SettingsError} one cannot be read, or is none.
 */
export function securityOf(settings: SecuritySettings): Security {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  let tls: ClientTls;
  try {
    tls = readClientTls({ ca: settings.TLS_CA_FILE, cert: settings.TLS_CERT_FILE, key: settings.TLS_KEY_FILE });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError(
      `Cannot start as the files of TLS_CA_FILE, TLS_CERT_FILE and TLS_KEY_FILE do not fit: ${reason}`,
    );
  }
  const named = mechanism !== undefined && username !== undefined && password !== undefined;
  return {
    tls,
    kafka: {
      tls: settings.KAFKA_TLS === "on" ? tls : undefined,
      sasl: named ? { mechanism, username, password } : undefined,
    },
    temporal: {
      tls: settings.TEMPORAL_TLS === "on" ? tls : undefined,
      serverName: settings.TEMPORAL_TLS_SERVER_NAME,
      apiKey: settings.TEMPORAL_API_KEY,
    },
  };
}
