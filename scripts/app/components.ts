import type { Component } from "#actors/ingress/readiness.ts";
import { withoutCredentials } from "#infra/base/address.ts";
import { pingRedis } from "#infra/redis/ping.ts";
import type { Connections } from "./connections.ts";
import type { Settings } from "./settings.ts";
import type { System } from "./system.ts";

/** What `/ready` looks at. */
export function componentsOf(settings: Settings, connections: Connections, system: System): Component[] {
  const sinkCheck = (name: string) => async (): Promise<void> => {
    await connections.sinks.find((sink) => sink.name === name)?.check();
  };
  const start = (server: string, variable: string): string =>
    `Start ${server} (bun run stack), or set ${variable} to where it is`;
  const {
    DATABASE_URL,
    ORDER_DATABASE_URL,
    NATS_URL,
    KAFKA_BROKERS,
    RABBITMQ_URL,
    REDIS_URL,
    TEMPORAL_ADDRESS,
    DOCKER_HOST,
    TROUPE_ENGINE,
    TROUPE_ROLES,
  } = settings;
  const database = DATABASE_URL ?? ORDER_DATABASE_URL;
  const serves = TROUPE_ROLES.includes("workflows") && TEMPORAL_ADDRESS !== undefined;
  const queues = TROUPE_ROLES.includes("scaler") ? 3 : 2;
  return [
    {
      name: "postgres",
      address: database === undefined ? null : withoutCredentials(database),
      needed: true,
      fix: start("PostgreSQL", "DATABASE_URL"),
      check: () => system.check(),
    },
    {
      name: "nats",
      address: shown(NATS_URL),
      needed: true,
      fix: start("NATS with JetStream", "NATS_URL"),
      check: sinkCheck("nats"),
    },
    {
      name: "kafka",
      address: shown(KAFKA_BROKERS),
      needed: false,
      fix: `${start("Kafka", "KAFKA_BROKERS")}; its events wait meanwhile`,
      check: sinkCheck("kafka"),
    },
    {
      name: "rabbitmq",
      address: shown(RABBITMQ_URL),
      needed: false,
      fix: `${start("RabbitMQ", "RABBITMQ_URL")}; its events wait meanwhile`,
      check: sinkCheck("rabbitmq"),
    },
    {
      name: "redis",
      address: shown(REDIS_URL),
      needed: false,
      fix: `${start("Redis", "REDIS_URL")}; its events wait meanwhile`,
      check: () => pingRedis(REDIS_URL ?? "", 2_000, connections.security.tls),
    },
    {
      name: "temporal",
      address: shown(TEMPORAL_ADDRESS),
      needed: true,
      fix: start("Temporal", "TEMPORAL_ADDRESS"),
      check: async () => connections.temporal?.check(),
    },
    {
      name: "docker",
      address: shown(DOCKER_HOST),
      needed: false,
      fix: start("a Docker engine", TROUPE_ENGINE === undefined ? "DOCKER_HOST" : "TROUPE_ENGINE"),
      check: async () => void (await Promise.all(connections.hosts.map(({ engine }) => engine.ping()))),
    },
    {
      name: "worker",
      address: serves ? `${TEMPORAL_ADDRESS}/${settings.TEMPORAL_NAMESPACE}` : null,
      needed: serves,
      fix: serves
        ? "Wait: the workers connect by themselves once Temporal and the database answer"
        : "Add workflows to TROUPE_ROLES, and set TEMPORAL_ADDRESS",
      check: async () => {
        if ((system.workers()?.running().length ?? 0) < queues) throw new Error("not every task queue is polled");
      },
    },
  ];
}

function shown(address: string | undefined): string | null {
  return address === undefined ? null : withoutCredentials(address);
}
