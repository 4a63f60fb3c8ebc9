/** The variables of the app process: their form, their default, and the text that `--help` shows. */
import * as v from "valibot";
import { Destination } from "#actors/gateway/route/messages.ts";
import { BROKERS } from "#infra/base/brokers.ts";
import type { KafkaSasl } from "#infra/kafka/security.ts";
import { parseSecretKeys } from "#infra/secrets/secret-box.ts";
import { MAX_PARTITIONS, PARTITION_COUNT } from "#runtime";
import { ENGINE_FORM, readEngines } from "./engine.ts";
import { FAILPOINT_FORM, readFailpoint } from "./failpoints.ts";
import { LOG_LEVELS } from "./json-log.ts";
import { PAYMENT_PROVIDERS } from "./payment-provider.ts";
import {
  count,
  duration,
  durations,
  hostPort,
  hostPorts,
  memory,
  natsUrls,
  onOff,
  optional,
  origins,
  port,
  postgresUrl,
  processors,
  proxies,
  size,
  text,
  url,
} from "./setting-forms.ts";
import { DEFAULT_SUBSCRIPTIONS, readSubscriptions, SUBSCRIBERS } from "./subscribers.ts";

/** What a process may do. */
export const ROLES = ["ingress", "actors", "workflows", "scaler"] as const;

const roles = v.pipe(
  text,
  v.transform((value) => value.split(",").map((role) => role.trim())),
  v.array(v.picklist(ROLES, `expected a comma list of ${ROLES.join(", ")}`)),
  v.minLength(1, "expected at least one role"),
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
export const VARIABLES = {
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
  DATABASE_PARTITIONS: v.pipe(
    optional(count(PARTITION_COUNT, MAX_PARTITIONS)),
    v.description(
      "how many partitions new stores are made with, 64 to 1024; one that was made with others does not open. By default 64, and of stores that are there what they have",
    ),
  ),
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
  TROUPE_ENGINE: v.pipe(
    optional(
      v.pipe(
        text,
        v.check((value) => readEngines(value) !== undefined, ENGINE_FORM),
      ),
    ),
    v.description(
      "where services run, instead of DOCKER_HOST: docker:unix:///…, docker:ssh://…, process:, kubernetes:?context=…; several as a=…,b=…",
    ),
  ),
  TROUPE_HOST: v.pipe(
    optional(v.pipe(text, v.regex(/^[a-z0-9][a-z0-9.-]{0,49}$/, "expected lower case, digits, dots and hyphens"))),
    v.description("what the engine's host is called; without it what the engine calls itself"),
  ),
  TROUPE_MAX_MEMORY: v.pipe(
    optional(memory),
    v.description("what one container may ask for, as in 2GiB; default 4GiB"),
  ),
  TROUPE_MAX_CPUS: v.pipe(optional(processors), v.description("likewise its processors; default 8")),
  TROUPE_MAX_PIDS: v.pipe(optional(count(1)), v.description("likewise its processes; default 4096")),
  TROUPE_HOST_MEMORY: v.pipe(
    optional(memory),
    v.description("what the containers of this process's host may ask for together; by default any amount"),
  ),
  TROUPE_HOST_CPUS: v.pipe(optional(processors), v.description("likewise their processors")),
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
  TROUPE_CHECK_REPLIES: v.pipe(
    onOff("off"),
    v.description("whether replies of actors are checked against their schemas; `bun run dev` turns it on"),
  ),
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
  TROUPE_CHAOS: v.pipe(
    onOff("off"),
    v.description("on: POST /chaos does faults on purpose (the console's page of chaos); only where HOST is loopback"),
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
