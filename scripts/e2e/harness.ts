/**
 * A whole system for one test file: app processes of its own on shared servers, told apart from everything else there by
 * a cluster name (databases, stream, topics) and a Temporal namespace. What it made is gone when it is disposed of.
 */
import postgres from "postgres";
import { testEnvironment } from "#infra/stack/for-tests.ts";
import type { ServerName } from "#infra/stack/types.ts";
import { makeNamespace, removeNamespace } from "#infra/temporal/test-namespace.ts";
import { SERVICES } from "../app/databases.ts";
import { AppProcess } from "./app-process.ts";
import type { CloudEvent } from "./cloud-event.ts";
import { readKafka, removeTopics } from "./kafka-events.ts";
import { readStream, removeStream } from "./nats-events.ts";

const NEEDED: readonly ServerName[] = ["postgres", "nats", "temporal"];

/** What {@link openHarness} may be told. */
export interface HarnessOptions {
  /** Whether events go to Kafka, too. @default false */
  readonly kafka?: boolean;
  /** Further variables of every app process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Servers, names and processes of one test file. */
export class Harness implements AsyncDisposable {
  readonly cluster: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #apps: AppProcess[] = [];

  constructor(cluster: string, environment: Readonly<Record<string, string>>) {
    this.cluster = cluster;
    this.#environment = environment;
  }

  /**
   * Starts a further app process. It need not be ready yet. `onLine` is told every line that it writes; `script` is that of
   * another tree.
   */
  start(
    environment: Readonly<Record<string, string>> = {},
    onLine?: (line: string) => void,
    script?: string,
  ): AppProcess {
    const app = new AppProcess({ ...this.#environment, ...environment }, onLine, script);
    this.#apps.push(app);
    return app;
  }

  /** The variables of an app process that is started by other means, as in a container. */
  environment(): Readonly<Record<string, string>> {
    return this.#environment;
  }

  /** Every event now in the JetStream stream, in the stream's order. */
  natsEvents(): Promise<CloudEvent[]> {
    return readStream(this.#variable("NATS_URL"), `EVENTS-${this.cluster}`);
  }

  /** Every event now in the Kafka topics, in order within a key. */
  kafkaEvents(): Promise<CloudEvent[]> {
    return readKafka(this.#variable("KAFKA_BROKERS"), `${this.cluster}.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#apps.map((app) => app[Symbol.asyncDispose]()));
    await Promise.allSettled([
      dropDatabases(this.#variable("DATABASE_URL"), this.cluster),
      removeStream(this.#variable("NATS_URL"), `EVENTS-${this.cluster}`),
      removeStream(this.#variable("NATS_URL"), `TOPICS-${this.cluster}`),
      removeStream(this.#variable("NATS_URL"), `ROUTED-${this.cluster}`),
      removeNamespace(this.#variable("TEMPORAL_ADDRESS"), this.cluster),
      ...(this.#environment["KAFKA_BROKERS"] === undefined
        ? []
        : [removeTopics(this.#environment["KAFKA_BROKERS"], `${this.cluster}.`)]),
    ]);
  }

  #variable(name: string): string {
    const value = this.#environment[name];
    if (value === undefined) throw new Error(`The tests need ${name}`);
    return value;
  }
}

/** Makes the names of a new harness on the test servers, starting servers where none run. */
export async function openHarness({ kafka = false, environment = {} }: HarnessOptions = {}): Promise<Harness> {
  const cluster = `e${crypto.randomUUID().replaceAll("-", "").slice(0, 10)}`;
  const servers = await testEnvironment(...NEEDED, ...(kafka ? (["kafka"] as const) : []));
  await makeNamespace(servers["TEMPORAL_ADDRESS"] ?? "", cluster);
  return new Harness(cluster, {
    ...servers,
    TEMPORAL_NAMESPACE: cluster,
    TROUPE_CLUSTER: cluster,
    // A running stack beside the tests is none of theirs: only what is named here is used.
    TROUPE_DATA: `/nonexistent/${cluster}`,
    TROUPE_SEED: "off",
    TROUPE_ROLES: "ingress,actors,workflows",
    DELIVERY_STEP: "100ms",
    DECIDE_WITHIN: "2s",
    // As in development. Benchmarks turn it off.
    TROUPE_CHECK_REPLIES: "on",
    ...environment,
  });
}

async function dropDatabases(server: string, cluster: string): Promise<void> {
  const sql = postgres(server, { max: 1, onnotice: () => undefined });
  try {
    for (const service of SERVICES)
      await sql.unsafe(`drop database if exists troupe_${cluster}_${service} with (force)`);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
