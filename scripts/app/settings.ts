/** What the app process is told by its environment, its arguments and the addresses of a running stack. */
import * as v from "valibot";
import { hasDefaultCredentials, isLoopback } from "./default-credentials.ts";
import { VARIABLES } from "./variables.ts";

const Environment = v.pipe(
  v.object(VARIABLES),
  v.forward(
    v.partialCheck(
      [["TROUPE_ROLES"], ["NATS_URL"]],
      ({ TROUPE_ROLES, NATS_URL }) => TROUPE_ROLES.includes("actors") || NATS_URL !== undefined,
      "expected actors among the roles, or NATS_URL: without either there is no way to an actor",
    ),
    ["TROUPE_ROLES"],
  ),
  v.forward(
    v.partialCheck(
      [["KAFKA_SASL_MECHANISM"], ["KAFKA_SASL_USERNAME"], ["KAFKA_SASL_PASSWORD"]],
      ({ KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD }) =>
        [KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD].filter((value) => value === undefined).length %
          3 ===
        0,
      "expected KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD together",
    ),
    ["KAFKA_SASL_MECHANISM"],
  ),
  v.forward(
    v.partialCheck(
      [["TLS_CERT_FILE"], ["TLS_KEY_FILE"]],
      ({ TLS_CERT_FILE, TLS_KEY_FILE }) => (TLS_CERT_FILE === undefined) === (TLS_KEY_FILE === undefined),
      "expected TLS_CERT_FILE and TLS_KEY_FILE together",
    ),
    ["TLS_CERT_FILE"],
  ),
  v.forward(
    v.partialCheck(
      [["API_RATE_LIMIT_STORE"], ["REDIS_URL"]],
      ({ API_RATE_LIMIT_STORE, REDIS_URL }) => API_RATE_LIMIT_STORE === "memory" || REDIS_URL !== undefined,
      "expected memory, as there is no REDIS_URL",
    ),
    ["API_RATE_LIMIT_STORE"],
  ),
  v.forward(
    v.partialCheck(
      [["API_TLS_CERT"], ["API_TLS_KEY"]],
      ({ API_TLS_CERT, API_TLS_KEY }) => (API_TLS_CERT === undefined) === (API_TLS_KEY === undefined),
      "expected a certificate and its key, or neither",
    ),
    ["API_TLS_CERT"],
  ),
  v.forward(
    v.partialCheck(
      [["ROUTING_DEFAULT_ROUTING_KEY"], ["ROUTING_DEFAULT_EXCHANGE"]],
      (routing) => routing.ROUTING_DEFAULT_ROUTING_KEY === undefined || routing.ROUTING_DEFAULT_EXCHANGE !== undefined,
      "expected an exchange beside it",
    ),
    ["ROUTING_DEFAULT_ROUTING_KEY"],
  ),
  v.forward(
    v.partialCheck(
      [["HOST"], ["TROUPE_AUTH"]],
      ({ HOST, TROUPE_AUTH }) => TROUPE_AUTH === "on" || isLoopback(HOST),
      "expected a loopback address (127.0.0.1, ::1, localhost), as TROUPE_AUTH is off: to serve others, set TROUPE_AUTH=on",
    ),
    ["HOST"],
  ),
  v.forward(
    v.partialCheck(
      [["HOST"], ["TROUPE_CHAOS"]],
      ({ HOST, TROUPE_CHAOS }) => TROUPE_CHAOS === "off" || isLoopback(HOST),
      "expected off, as HOST is no loopback address: faults on purpose are for development",
    ),
    ["TROUPE_CHAOS"],
  ),
);

/** Addresses that may hold credentials. */
const CREDENTIALS = (Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]).filter((name) => name.endsWith("_URL"));

/** Who serves others does not do it on credentials that others know. */
function* defaultCredentials(settings: Settings): Generator<string> {
  if (isLoopback(settings.HOST)) return;
  for (const name of CREDENTIALS) {
    const value = settings[name];
    if (typeof value !== "string") continue;
    if (hasDefaultCredentials(value)) yield name;
  }
}

/** The settings of the process, under their variables' names. */
export type Settings = v.InferOutput<typeof Environment>;

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly (keyof Settings)[];

/** Thrown with one line per variable that does not fit. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * Reads the settings. `environment` wins over `stack`: a file, and the addresses of a running stack.
 * @param nameOf how an error names a variable.
 * @throws {SettingsError} naming every variable that does not fit, what is expected and what was given.
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  stack: Readonly<Record<string, string>> = {},
  nameOf: (variable: string) => string = (variable) => variable,
): Settings {
  const given: Record<string, string> = {};
  for (const name of Object.keys(VARIABLES)) {
    const value = environment[name] || stack[name];
    if (value !== undefined) given[name] = value;
  }
  const result = v.safeParse(Environment, given);
  if (result.success) {
    const known = [...defaultCredentials(result.output)];
    if (known.length === 0) return result.output;
    const named = known.map(
      (name) => `  ${nameOf(name)}: expected a password that is not everybody's, as HOST serves others`,
    );
    throw new SettingsError(`Cannot start as the settings do not fit:\n${named.join("\n")}`);
  }
  const lines = result.issues.map((issue) => {
    const name = String(issue.path?.[0].key ?? "?");
    return `  ${nameOf(name)}: ${issue.message}, got ${isSecretName(name) ? "something else" : JSON.stringify(given[name])}`;
  });
  throw new SettingsError(`Cannot start as the settings do not fit:\n${[...new Set(lines)].join("\n")}`);
}

/** One variable, for people. */
export interface VariableHelp {
  readonly name: string;
  readonly meaning: string;
  /** `undefined`: none, or a table that the meaning tells. */
  readonly fallback: string | undefined;
}

/** The variables that people may set, with their meaning and default. */
export function variableHelp(): VariableHelp[] {
  return Object.entries(VARIABLES).flatMap(([name, schema]) => {
    const meaning = v.getDescription(schema);
    if (meaning === undefined) return [];
    const fallback = v.safeParse(schema, undefined).output;
    const isTable = typeof fallback === "object" && !Array.isArray(fallback);
    const shown = fallback === undefined || isTable ? "" : String(fallback);
    return [{ name, meaning, fallback: shown === "" ? undefined : shown }];
  });
}

/** The variables with their meaning and default, for `--help`. */
export function describeVariables(): string {
  return variableHelp()
    .map(
      ({ name, meaning, fallback }) =>
        `  ${name.padEnd(24)} ${meaning}${fallback === undefined ? "" : ` (${fallback})`}`,
    )
    .join("\n");
}

/** What a variable is for, as `--help` says it. */
export function meaningOf(name: keyof Settings): string {
  return v.getDescription(VARIABLES[name]) ?? "";
}

/** Whether a value must not be shown: addresses may hold passwords. */
export function isSecretName(name: string): boolean {
  return /_(?:URL|BROKERS|ADDRESS)$|^DOCKER_HOST$|^TROUPE_ENGINE$|_(?:KEY|PASSWORD)$/.test(name);
}
