import { suggest } from "#infra/base/suggest.ts";
import { readYaml } from "#infra/yaml/read-yaml.ts";

/** A key of the file: the variables its value stands for; a map of further keys; or one that is refused by name. */
type Key = ((value: string) => Readonly<Record<string, string>>) | { readonly [name: string]: Key } | typeof LATER;

/** Keys that will be one day: refused, so that nobody believes they are in force. */
const LATER = "later";
const as =
  (variable: string): Key =>
  (value) => ({ [variable]: value });

/** `host:port`, `[::1]:port` or `:port`. */
const address: Key = (value) => {
  const at = value.lastIndexOf(":");
  const host = value.slice(0, Math.max(at, 0));
  return { ...(host === "" ? {} : { HOST: host }), PORT: at < 0 ? value : value.slice(at + 1) };
};

const KEYS: { readonly [name: string]: Key } = {
  api: {
    address,
    auth: as("TROUPE_AUTH"),
    rateLimit: as("API_RATE_LIMIT"),
    rateLimitBurst: as("API_RATE_LIMIT_BURST"),
    rateLimitStore: as("API_RATE_LIMIT_STORE"),
    maxPayloadSize: as("API_MAX_PAYLOAD_SIZE"),
    tlsCert: as("API_TLS_CERT"),
    tlsKey: as("API_TLS_KEY"),
    allowedOrigins: as("ALLOWED_ORIGINS"),
    trustedProxies: as("TRUSTED_PROXIES"),
  },
  database: {
    url: as("DATABASE_URL"),
    partitions: as("DATABASE_PARTITIONS"),
    order: as("ORDER_DATABASE_URL"),
    customer: as("CUSTOMER_DATABASE_URL"),
    stock: as("STOCK_DATABASE_URL"),
    payment: as("PAYMENT_DATABASE_URL"),
    delivery: as("DELIVERY_DATABASE_URL"),
    invoice: as("INVOICE_DATABASE_URL"),
    notification: as("NOTIFICATION_DATABASE_URL"),
    gateway: as("GATEWAY_DATABASE_URL"),
    orchestrator: as("ORCHESTRATOR_DATABASE_URL"),
  },
  broker: {
    nats: { url: as("NATS_URL") },
    kafka: {
      brokers: as("KAFKA_BROKERS"),
      tls: as("KAFKA_TLS"),
      sasl: {
        mechanism: as("KAFKA_SASL_MECHANISM"),
        username: as("KAFKA_SASL_USERNAME"),
        password: as("KAFKA_SASL_PASSWORD"),
      },
    },
    rabbitmq: { url: as("RABBITMQ_URL") },
    redis: { url: as("REDIS_URL") },
    type: LATER,
  },
  tls: { ca: as("TLS_CA_FILE"), cert: as("TLS_CERT_FILE"), key: as("TLS_KEY_FILE") },
  outbox: { retention: as("OUTBOX_RETENTION"), batchSize: LATER, pollInterval: LATER },
  actors: { maxActive: as("ACTORS_MAX_ACTIVE") },
  routing: {
    defaultTopic: as("ROUTING_DEFAULT_TOPIC"),
    defaultExchange: as("ROUTING_DEFAULT_EXCHANGE"),
    defaultRoutingKey: as("ROUTING_DEFAULT_ROUTING_KEY"),
    maxRetries: as("ROUTING_MAX_RETRIES"),
  },
  scaler: LATER,
};

/** The keys of the file by the variable that each stands for, as in `api.rateLimit`. */
export function fileKeys(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (keys: { readonly [name: string]: Key }, at: readonly string[]): void => {
    for (const [name, key] of Object.entries(keys)) {
      const path = [...at, name];
      if (typeof key === "object") walk(key, path);
      else if (typeof key === "function")
        for (const variable of Object.keys(key("host:1"))) found.set(variable, path.join("."));
    }
  };
  walk(KEYS, []);
  return found;
}

/** What a file says, as variables. */
export interface FileSettings {
  readonly values: Readonly<Record<string, string>>;
  /** Where a variable's value stands, as in `line 3, column 14: /api/rateLimit`. */
  placeOf(variable: string): string;
}

/**
 * Reads the YAML of `TROUPE_CONFIG`, strictly: unknown keys, doubled keys, aliases and tags are errors. Whether the values fit
 * is for `readSettings` to say, which reads variables of every origin alike.
 * @returns the settings, or every error with its line and column.
 */
export function readConfigFile(text: string): FileSettings | { readonly errors: readonly string[] } {
  const read = readYaml(text);
  if ("issues" in read) return { errors: read.issues.map(({ path, message }) => `${path}: ${message}`) };
  const { file } = read;
  const values: Record<string, string> = {};
  const places = new Map<string, string>();
  const errors: { readonly line: number; readonly text: string }[] = [];
  const fail = (at: readonly string[], message: string, onKey = false): void => {
    const issue = file.locate({ at, message, onKey });
    errors.push({ line: issue.line, text: `${issue.path}: ${issue.message}` });
  };

  function walk(value: unknown, keys: { readonly [name: string]: Key }, at: readonly string[]): void {
    if (value === null) return; // a section with nothing in it
    if (typeof value !== "object" || Array.isArray(value)) return fail(at, "must be a map");
    for (const [name, inner] of Object.entries(value)) {
      const here = [...at, name];
      const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
      if (key === undefined) fail(here, unknownKey(name, keys), true);
      else if (key === LATER) fail(here, "has no meaning in this version", true);
      else if (typeof key === "object") walk(inner, key, here);
      else take(inner, key, here);
    }
  }

  function take(value: unknown, key: (value: string) => Readonly<Record<string, string>>, at: readonly string[]): void {
    const texts = Array.isArray(value) ? value : [value];
    if (!texts.every((text) => typeof text === "string" || typeof text === "number" || typeof text === "boolean"))
      return fail(at, "must be text, a number, or a list of them");
    // YAML 1.2 reads `on` and `off` as text, `true` and `false` as neither of the two.
    for (const [variable, text] of Object.entries(key(texts.map(String).join(",")))) {
      values[variable] = text;
      const { path, pointer } = file.locate({ at, message: "" });
      places.set(variable, `${path}: ${pointer}`);
    }
  }

  walk(file.value, KEYS, []);
  if (errors.length > 0) return { errors: errors.toSorted((a, b) => a.line - b.line).map(({ text: line }) => line) };
  return { values, placeOf: (variable) => places.get(variable) ?? variable };
}

function unknownKey(name: string, keys: object): string {
  const near = suggest(name, Object.keys(keys));
  return near === undefined ? "is not a known key" : `is not a known key; did you mean ${near}?`;
}
