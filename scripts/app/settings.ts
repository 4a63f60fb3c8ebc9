/** What the app process is told by its environment, its arguments and the addresses of a running stack. */
import * as v from "valibot";
import { trustedProxies } from "#actors/access/guard/client-address.ts";
import { Destination } from "#actors/gateway/route/messages.ts";
import { readAddresses } from "#infra/address.ts";
import { BROKERS } from "#infra/brokers.ts";
import type { KafkaSasl } from "#infra/kafka/security.ts";
import { parseSecretKeys } from "#infra/secrets/secret-box.ts";
import { type Duration, isDuration } from "#runtime";
import { hasDefaultCredentials, isLoopback } from "./default-credentials.ts";
import { FAILPOINT_FORM, readFailpoint } from "./failpoints.ts";
import { LOG_LEVELS } from "./json-log.ts";
import { PAYMENT_PROVIDERS } from "./payment-provider.ts";
import { DEFAULT_SUBSCRIPTIONS, readSubscriptions, SUBSCRIBERS } from "./subscribers.ts";

/** What a process may do. */
export const ROLES = ["ingress", "actors", "workflows", "scaler"] as const;

const text = v.pipe(v.string(), v.trim());
/** A variable that is set to nothing counts as not set. */
const optional = <S extends v.GenericSchema<string, unknown>>(schema: S) =>
  v.optional(
    v.union([
      v.pipe(
        v.literal(""),
        v.transform(() => undefined),
      ),
      schema,
    ]),
  );
const url = (...protocols: string[]) =>
  v.pipe(
    text,
    v.check(
      (value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)) && URL.canParse(value),
      `expected ${protocols.map((p) => `${p}://host…`).join(" or ")}`,
    ),
  );
const natsUrls = v.pipe(
  text,
  v.check(
    (value) =>
      readAddresses(value).every((at) => (at?.scheme === "nats" || at?.scheme === "tls") && at.hosts.length > 0),
    "expected nats://host:port, or several separated by commas",
  ),
);
const hostPort = v.pipe(text, v.regex(/^[^\s:/]+:\d{1,5}$/, "expected host:port"));
const hostPorts = v.pipe(
  text,
  v.regex(/^[^\s:/,]+:\d{1,5}(,\s*[^\s:/,]+:\d{1,5})*$/, "expected host:port, or several separated by commas"),
);
const onOff = (other: "on" | "off") => v.optional(v.pipe(text, v.picklist(["on", "off"], "expected on or off")), other);
const port = v.pipe(
  text,
  v.regex(/^\d{1,5}$/, "expected a port number"),
  v.transform(Number),
  v.maxValue(65_535, "expected at most 65535"),
);
const postgresUrl = optional(url("postgres", "postgresql"));
const duration = v.custom<Duration>(
  (value) => typeof value === "string" && isDuration(value),
  'expected a duration, as in "500ms", "2s" or "15m"',
);

const durations = v.pipe(
  text,
  v.transform((value) => value.split(",").map((one) => one.trim())),
  v.array(duration),
  v.maxLength(20),
);

const roles = v.pipe(
  text,
  v.transform((value) => value.split(",").map((role) => role.trim())),
  v.array(v.picklist(ROLES, `expected a comma list of ${ROLES.join(", ")}`)),
  v.minLength(1, "expected at least one role"),
);

const origin = v.pipe(
  text,
  v.check(
    (value) => URL.canParse(value) && new URL(value).origin === value && !value.includes("*"),
    "expected origins separated by commas, as in https://shop.example",
  ),
);
const origins = v.pipe(
  text,
  v.transform((value) => (value === "" ? [] : value.split(","))),
  v.array(origin),
);

const proxies = v.pipe(
  text,
  v.transform((value) => (value === "" ? [] : value.split(",").map((part) => part.trim()))),
  v.check((list) => {
    try {
      return trustedProxies(list).length === list.length;
    } catch {
      return false;
    }
  }, "expected addresses or networks separated by commas, as in 10.0.0.0/8"),
);
const SIZE = /^(\d{1,9})(B|KiB|MiB)?$/;
const size = v.pipe(
  text,
  v.regex(SIZE, 'expected a size, as in "256KiB" or "1MiB"'),
  v.transform((value) => {
    const [, digits, unit] = SIZE.exec(value) ?? [];
    return Number(digits) * (unit === "MiB" ? 1024 ** 2 : unit === "KiB" ? 1024 : 1);
  }),
  v.minValue(1024, "expected at least 1KiB"),
  v.maxValue(32 * 1024 ** 2, "expected at most 32MiB"),
);
const count = (least: number) =>
  v.pipe(
    text,
    v.regex(/^\d{1,7}$/, "expected a whole number"),
    v.transform(Number),
    v.minValue(least, `expected at least ${least}`),
  );
const [Kafka, RabbitMq] = Destination.options;
const place = <S extends v.GenericSchema<string, string>>(schema: S) => v.pipe(text, schema);
const failpoint = v.pipe(
  text,
  v.check((value) => readFailpoint(value) !== undefined, FAILPOINT_FORM),
  v.transform(readFailpoint),
);
const shownSubscriptions = Object.entries(DEFAULT_SUBSCRIPTIONS)
  .map(([subscriber, broker]) => `${subscriber}=${broker}`)
  .join(",");
const subscriptions = v.pipe(
  text,
  v.check(
    (value) => readSubscriptions(value) !== undefined,
    `expected pairs of ${SUBSCRIBERS.join(", ")} and ${BROKERS.join(", ")}, as in invoice=nats,notification=redis`,
  ),
  v.transform((value) => readSubscriptions(value) ?? DEFAULT_SUBSCRIPTIONS),
);

const SASL_MECHANISMS: readonly string[] = [
  "PLAIN",
  "SCRAM-SHA-256",
  "SCRAM-SHA-512",
] satisfies KafkaSasl["mechanism"][];

/** Every variable, with the text `--help` shows. */
const VARIABLES = {
  PORT: v.pipe(v.optional(port, "3000"), v.description("where HTTP is served; 0 takes a free port")),
  HOST: v.pipe(
    v.optional(text, "127.0.0.1"),
    v.description("the address to listen on; with TROUPE_AUTH=off loopback only"),
  ),
  ALLOWED_ORIGINS: v.pipe(
    v.optional(origins, ""),
    v.description("further origins whose pages may read answers and open sockets, separated by commas"),
  ),
  DATABASE_URL: v.pipe(
    postgresUrl,
    v.description("the Postgres server; each service gets a database of its own there"),
  ),
  ORDER_DATABASE_URL: v.pipe(
    postgresUrl,
    v.description(
      "the database of one service; likewise STOCK_, PAYMENT_, DELIVERY_, INVOICE_, NOTIFICATION_, ORCHESTRATOR_, GATEWAY_",
    ),
  ),
  CUSTOMER_DATABASE_URL: postgresUrl,
  STOCK_DATABASE_URL: postgresUrl,
  PAYMENT_DATABASE_URL: postgresUrl,
  DELIVERY_DATABASE_URL: postgresUrl,
  INVOICE_DATABASE_URL: postgresUrl,
  NOTIFICATION_DATABASE_URL: postgresUrl,
  ORCHESTRATOR_DATABASE_URL: postgresUrl,
  GATEWAY_DATABASE_URL: postgresUrl,
  NATS_URL: v.pipe(optional(natsUrls), v.description("events to JetStream, and calls between nodes")),
  KAFKA_BROKERS: v.pipe(optional(hostPorts), v.description("events to Kafka")),
  KAFKA_TLS: v.pipe(onOff("off"), v.description("on: Kafka is spoken to by TLS alone")),
  KAFKA_SASL_MECHANISM: v.pipe(
    optional(
      v.pipe(
        text,
        v.check((value) => SASL_MECHANISMS.includes(value), `expected one of ${SASL_MECHANISMS.join(", ")}`),
      ),
    ),
    v.transform((value) => value as KafkaSasl["mechanism"] | undefined),
    v.description("how this process says to Kafka who it is; with a user and a password"),
  ),
  KAFKA_SASL_USERNAME: v.pipe(optional(text), v.description("the user at Kafka")),
  KAFKA_SASL_PASSWORD: v.pipe(optional(text), v.description("the user's password at Kafka")),
  RABBITMQ_URL: v.pipe(
    optional(url("amqp", "amqps")),
    v.description("the events that are consumed there, and where routes may lead"),
  ),
  REDIS_URL: v.pipe(
    optional(url("redis", "rediss")),
    v.description("events of orders and deliveries to Redis Streams, and where routes may lead"),
  ),
  TEMPORAL_ADDRESS: v.pipe(optional(hostPort), v.description("workflows")),
  TEMPORAL_NAMESPACE: v.pipe(
    v.optional(v.pipe(text, v.minLength(1, "expected a name")), "default"),
    v.description("of the workflows"),
  ),
  TEMPORAL_TLS: v.pipe(onOff("off"), v.description("on: Temporal is spoken to by TLS alone; an API key implies it")),
  TEMPORAL_TLS_SERVER_NAME: v.pipe(
    optional(text),
    v.description("the name that Temporal's certificate is made for, where it is not that of the address"),
  ),
  TEMPORAL_API_KEY: v.pipe(optional(text), v.description("sent to Temporal with each call")),
  TLS_CA_FILE: v.pipe(
    optional(text),
    v.description("certificates (PEM) that are trusted beside the system's, of every server that is spoken to by TLS"),
  ),
  TLS_CERT_FILE: v.pipe(optional(text), v.description("the certificate (PEM) shown to servers that ask for one")),
  TLS_KEY_FILE: v.pipe(optional(text), v.description("the key (PEM) of that certificate")),
  TEMPORAL_UI_URL: v.pipe(optional(url("http", "https")), v.description("where links to workflows lead")),
  DOCKER_HOST: v.pipe(optional(url("unix", "tcp", "http", "https")), v.description("the engine that runs services")),
  TROUPE_HOST: v.pipe(
    optional(v.pipe(text, v.regex(/^[a-z0-9][a-z0-9.-]{0,49}$/, "expected lower case, digits, dots and hyphens"))),
    v.description("what the engine's host is called; without it what the engine calls itself"),
  ),
  TROUPE_BIND_ROOTS: v.pipe(
    v.optional(text, ""),
    v.transform((value) =>
      value
        .split(",")
        .map((root) => root.trim())
        .filter((root) => root !== ""),
    ),
    v.check((paths) => paths.every((path) => path.startsWith("/")), "expected absolute paths, separated by commas"),
    v.description("directories of the host that services may mount, separated by commas; by default none"),
  ),
  TROUPE_ROLES: v.pipe(
    v.optional(roles, ROLES.join(",")),
    v.description("what this process does; one without ingress serves /health, /ready and /metrics alone"),
  ),
  TROUPE_STOP_GRACE: v.pipe(
    v.optional(duration, "0s"),
    v.description("how long a process that was told to stop still takes requests, with /ready at 503"),
  ),
  TROUPE_AUTH: v.pipe(onOff("off"), v.description("on: requests need an API key; off only where HOST is loopback")),
  TROUPE_ADMIN_KEY: v.pipe(
    optional(
      v.pipe(
        text,
        v.regex(/^[\x21-\x7e]{32,200}$/, "expected 32 to 200 visible characters, best random ones"),
        v.check((value) => new Set(value).size >= 10, "expected random characters"),
      ),
    ),
    v.description(
      "an admin key for as long as this process runs; without any, the first start makes one and prints it",
    ),
  ),
  TROUPE_SECRET_KEY: v.pipe(
    optional(
      v.pipe(
        text,
        v.check((value) => {
          try {
            return parseSecretKeys(value).length > 0;
          } catch {
            return false;
          }
        }, "expected 32 bytes in base64, or several of them separated by commas"),
      ),
    ),
    v.description(
      "seals the secrets of sources and endpoints in the database, and what workflows are about in Temporal: 32 bytes in base64; of several, separated by commas, the first seals",
    ),
  ),
  API_RATE_LIMIT: v.pipe(
    v.optional(count(0), "0"),
    v.description("requests a second of one key, and of one address; 0: any number"),
  ),
  API_RATE_LIMIT_BURST: v.pipe(optional(count(1)), v.description("how many of them at once; default twice the limit")),
  API_RATE_LIMIT_STORE: v.pipe(
    v.optional(v.pipe(text, v.picklist(["memory", "redis"], "expected memory or redis")), "memory"),
    v.description("where requests are counted: memory, each process for itself, or redis, all together"),
  ),
  API_TLS_CERT: v.pipe(
    optional(v.pipe(text, v.minLength(1))),
    v.description("serves TLS: a PEM file with the certificate and its chain; read again when it changes"),
  ),
  API_TLS_KEY: v.pipe(optional(v.pipe(text, v.minLength(1))), v.description("the PEM file of its private key")),
  API_MAX_PAYLOAD_SIZE: v.pipe(
    v.optional(size, "1MiB"),
    v.description("the largest body of a request, as in 256KiB; 32MiB at most"),
  ),
  TRUSTED_PROXIES: v.pipe(
    v.optional(proxies, ""),
    v.description("addresses and networks whose X-Forwarded-For is believed, separated by commas"),
  ),
  TROUPE_CONFIG: v.pipe(optional(text), v.description("a YAML file of settings; the environment wins over it")),
  OUTBOX_RETENTION: v.pipe(
    v.optional(duration, "24h"),
    v.description("how long replies and published records are kept"),
  ),
  ACTORS_MAX_ACTIVE: v.pipe(optional(count(1)), v.description("actors in memory at once; default 100000")),
  TROUPE_SEED: v.pipe(onOff("on"), v.description("whether demo products are created once")),
  TROUPE_DATA: v.pipe(
    v.optional(v.pipe(text, v.minLength(1)), ".troupe"),
    v.description("the data folder of a running stack: its addresses fill what is not set"),
  ),
  TROUPE_REVISION: v.pipe(
    v.optional(v.pipe(text, v.regex(/^[\w.-]{0,64}$/, "expected a commit or a tag")), ""),
    v.description("the commit that runs here, for the metric troupe_build_info; an image sets it"),
  ),
  TROUPE_CLUSTER: v.pipe(
    v.optional(
      v.pipe(
        text,
        v.regex(/^[a-z][a-z0-9]{0,30}$/, "expected lower case and digits, at most 31, beginning with a letter"),
      ),
      "default",
    ),
    v.description("keeps systems on the same servers apart: databases, streams, topics, workflows, containers"),
  ),
  WEBHOOK_RETRIES: v.pipe(
    v.optional(durations, "5s,5m,30m,2h,5h,10h,10h"),
    v.description("the pauses between the tries to deliver to an endpoint"),
  ),
  ROUTING_DEFAULT_TOPIC: v.pipe(
    optional(place(Kafka.entries.topic)),
    v.description("the Kafka topic of events that no route matches"),
  ),
  ROUTING_DEFAULT_EXCHANGE: v.pipe(
    optional(place(RabbitMq.entries.exchange)),
    v.description("the RabbitMQ exchange of events that no route matches"),
  ),
  ROUTING_DEFAULT_ROUTING_KEY: v.pipe(
    optional(place(RabbitMq.entries.routingKey.wrapped)),
    v.description("their routing key; default the event's type"),
  ),
  ROUTING_MAX_RETRIES: v.pipe(
    optional(v.pipe(count(0), v.maxValue(20, "expected at most 20"))),
    v.description("tries to deliver to an endpoint after the first one; default one for each of WEBHOOK_RETRIES"),
  ),
  WEBHOOK_ALLOW_PRIVATE: v.pipe(onOff("off"), v.description("on: endpoints may lead into the own network, for tests")),
  TROUPE_SUBSCRIPTIONS: v.pipe(
    v.optional(subscriptions, ""),
    v.description(`the broker of each subscription (${shownSubscriptions})`),
  ),
  TROUPE_FAILPOINT: v.pipe(
    optional(failpoint),
    v.description("for fault runs: where this process ends itself with SIGKILL, as in after-commit:100"),
  ),
  DELIVERY_STEP: v.pipe(v.optional(duration, "1s"), v.description("the sandbox courier's pace")),
  DELIVERY_COURIER: v.pipe(
    v.optional(v.pipe(text, v.picklist(["sandbox", "external"], "expected sandbox or external")), "sandbox"),
    v.description("external: parcels move by the courier's updates alone (POST /deliveries/:orderId/updates)"),
  ),
  PAYMENT_PROVIDER: v.pipe(
    v.optional(
      v.pipe(text, v.picklist(PAYMENT_PROVIDERS, `expected one of ${PAYMENT_PROVIDERS.join(", ")}`)),
      "sandbox",
    ),
    v.description("who moves the money; sandbox moves none"),
  ),
  DECIDE_WITHIN: v.pipe(
    v.optional(duration, "30s"),
    v.description("how long a customer has to decide when only a part of an order is in stock"),
  ),
  LOG_LEVEL: v.pipe(
    v.optional(v.pipe(text, v.picklist(LOG_LEVELS, `expected one of ${LOG_LEVELS.join(", ")}`)), "info"),
    v.description("the least important line that is written"),
  ),
};

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

/** The variables with their meaning and default, for `--help`. */
export function describeVariables(): string {
  const lines = Object.entries(VARIABLES).flatMap(([name, schema]) => {
    const meaning = v.getDescription(schema);
    if (meaning === undefined) return [];
    const fallback = v.safeParse(schema, undefined).output;
    const shown = fallback === undefined || String(fallback) === "" ? "" : ` (${String(fallback)})`;
    return [`  ${name.padEnd(24)} ${meaning}${shown}`];
  });
  return lines.join("\n");
}

/** Whether a value must not be shown: addresses may hold passwords. */
export function isSecretName(name: string): boolean {
  return /_(?:URL|BROKERS|ADDRESS)$|^DOCKER_HOST$|_(?:KEY|PASSWORD)$/.test(name);
}
