import { reservedPlace } from "#actors/gateway/route/reserved.ts";
import { ordersProjection } from "#actors/shop/read-model/read-model.ts";
import { connectNats, type NatsLink } from "#infra/nats/connection.ts";
import { natsTopics } from "#infra/nats/topics.ts";
import { natsTransport } from "#infra/nats/transport.ts";
import type { PoolUse } from "#infra/postgres/pool-use.ts";
import { postgresReadModel, type PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import { postgresStore } from "#infra/postgres/store.ts";
import { routedKafka } from "#infra/routing/kafka.ts";
import { routedNats } from "#infra/routing/nats.ts";
import { routedRabbitMq } from "#infra/routing/rabbitmq.ts";
import { routedRedis } from "#infra/routing/redis.ts";
import { type Address, absentSink, routedSink } from "#infra/routing/routed.ts";
import type { BrokerTail } from "#infra/tail/tail.ts";
import { sealingCodec } from "#infra/temporal/codec.ts";
import { temporalConnection, type Temporal } from "#infra/temporal/connection.ts";
import { temporalSink } from "#infra/temporal/sink.ts";
import { type Log, memoryTopics, type Sink, type Source, type Store, type Topics, type Transport } from "#runtime";
import { searchAttributes } from "#workflows/fulfil-order/names.ts";
import { openBrokers } from "./brokers.ts";
import { AppChaos } from "./chaos.ts";
import { type ClusterNames, clusterNames } from "./cluster-names.ts";
import { databasesOf, SERVICES, type ServiceName } from "./databases.ts";
import type { HostedEngine } from "./driven-host.ts";
import { type NamedEngine, openEngine, readEngines } from "./engine.ts";
import { type Failpoints, failpoints } from "./failpoints.ts";
import { OWN_NOUNS } from "./own-nouns.ts";
import { secretKeysOf } from "./secrets.ts";
import { type Security, securityOf } from "./security.ts";
import type { Settings } from "./settings.ts";

/** Connections per service and process; the read model of the orders has four more. Three processes stay within a server's usual hundred. */
const POOL_SIZE = 5;
/** Of services that nobody waits for. */
const SMALL_POOL_SIZE = 2;
const SMALL: ReadonlySet<ServiceName> = new Set(["customer", "invoice", "notification"]);

/** What outlives any one try to start the actor system: handles that connect by themselves, again and again. */
export interface Connections {
  /** What the connections are made with. */
  readonly security: Security;
  readonly nats: NatsLink | undefined;
  readonly temporal: Temporal | undefined;
  /** The engines that this process drives, where it is a scaler. */
  readonly hosts: readonly [HostedEngine, ...HostedEngine[]];
  /** Where events and workflow requests go. */
  readonly sinks: readonly Sink[];
  /** Where the events come from that actors subscribe to, by actor type. */
  readonly sources: Readonly<Record<string, Source>>;
  /** Why a broker takes nothing from publishers now, by sink: `undefined` when it does. */
  readonly blocked: ReadonlyMap<string, () => string | undefined>;
  /** Faults on purpose; `undefined` where `TROUPE_CHAOS` is off. */
  readonly chaos: AppChaos | undefined;
  /** What people look at the brokers by. */
  readonly tails: readonly BrokerTail[];
  /** How much of the connections to each database is taken. */
  readonly pools: ReadonlyMap<ServiceName, PoolUse>;
  /** Where broadcasts go and are followed: in JetStream; in memory, for this process alone, where there is no NATS. */
  readonly topics: Topics;
  /** One store per service that has a database; made anew for each try, since a troupe closes its stores. */
  stores(): Readonly<Record<ServiceName, Store>>;
  /** Likewise: the tables of the orders' read model, in the orders' database. */
  orderReads(): PostgresReadModel;
  /** Likewise. */
  transport(): Transport | undefined;
  close(): Promise<void>;
}

/**
 * Makes the handles. Connects to nothing yet, and fails for nothing that is away.
 * @throws {TypeError} when a service has no database.
 * @throws {SettingsError} when a certificate cannot be read.
 */
export function openConnections(settings: Settings, log: Log): Connections {
  const { NATS_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, DOCKER_HOST, TROUPE_CLUSTER: cluster } = settings;
  const names = clusterNames(cluster);
  const { prefix } = names;
  const security = securityOf(settings);
  const nats =
    NATS_URL === undefined
      ? undefined
      : connectNats({ url: NATS_URL, tls: security.tls, log, name: `troupe-${cluster}` });
  const temporal =
    TEMPORAL_ADDRESS === undefined
      ? undefined
      : temporalConnection({
          security: security.temporal,
          address: TEMPORAL_ADDRESS,
          namespace: TEMPORAL_NAMESPACE,
          prefix,
          codec: sealingCodec(secretKeysOf(settings)),
        });
  const brokers = openBrokers(settings, nats, log, security);
  const sinks: Sink[] = [...brokers.sinks];
  const topics =
    nats === undefined
      ? memoryTopics()
      : natsTopics({
          connection: nats,
          log,
          ...names.topics,
        });
  if (temporal !== undefined) sinks.push(temporalSink({ temporal, keywords: Object.values(searchAttributes), log }));
  sinks.push(...routedSinks(settings, security, nats, names, log));
  const failing = failpoints(settings.TROUPE_FAILPOINT);
  const pools = new Map(SERVICES.map((service): [ServiceName, PoolUse] => [service, { queries: 0, max: 0 }]));
  const opened = {
    cluster,
    signingKeys: settings.TROUPE_SECRET_KEY?.split(",").map((key) => key.trim()) ?? [],
    tls: security.tls,
  };
  const [first, ...others] = readEngines(settings.TROUPE_ENGINE ?? "") ?? [
    { name: undefined, address: { driver: "docker" as const, host: DOCKER_HOST } },
  ];
  const hosted = ({ name, address }: NamedEngine): HostedEngine => ({
    name: name ?? settings.TROUPE_HOST,
    engine: openEngine(address, opened),
  });
  const hosts: Connections["hosts"] = [hosted(first), ...others.map(hosted)];
  const engines = hosts.map(({ engine }) => engine);
  const chaos =
    settings.TROUPE_CHAOS === "on" ? new AppChaos({ dataFolder: settings.TROUPE_DATA, engines }) : undefined;
  return {
    security,
    nats,
    temporal,
    hosts,
    sinks: sinks.map((sink) => failing.sink(chaos?.sink(sink) ?? sink)),
    sources: brokers.sources,
    blocked: brokers.blocked,
    chaos,
    tails: brokers.tails,
    pools,
    topics,
    stores: () => storesOf(settings, log, failing, pools),
    orderReads: () =>
      postgresReadModel(databaseOf("order", settings), {
        name: "orders",
        projections: [ordersProjection],
        log,
        max: 2,
      }),
    transport: () => (nats === undefined ? undefined : natsTransport({ connection: nats, log, ...names.nodes })),
    async close() {
      chaos?.[Symbol.dispose]();
      for (const tail of brokers.tails) tail.close();
      await Promise.allSettled([...sinks.map((sink) => sink.close()), topics.close()]);
      await Promise.allSettled([nats?.close(), temporal?.close(), ...hosts.map(({ engine }) => engine.close())]);
    },
  };
}

/** Where routes of the event gateway may lead. One that is not here is there all the same: what goes to it becomes dead letters. */
function routedSinks(
  { KAFKA_BROKERS, RABBITMQ_URL, REDIS_URL }: Settings,
  security: Security,
  nats: NatsLink | undefined,
  { prefix, routed }: ClusterNames,
  log: Log,
): Sink[] {
  const options = { stores: ["gateway"], refuses: (to: Address) => reservedPlace(to, OWN_NOUNS) };
  return [
    KAFKA_BROKERS === undefined
      ? absentSink("kafka", "KAFKA_BROKERS", options)
      : routedSink(
          routedKafka({ brokers: KAFKA_BROKERS, security: security.kafka, log, topicPrefix: prefix }),
          options,
        ),
    RABBITMQ_URL === undefined
      ? absentSink("rabbitmq", "RABBITMQ_URL", options)
      : routedSink(routedRabbitMq({ url: RABBITMQ_URL, tls: security.tls, log, exchangePrefix: prefix }), options),
    nats === undefined
      ? absentSink("nats", "NATS_URL", options)
      : routedSink(
          routedNats({
            connection: nats,
            subjectPrefix: prefix,
            ...routed,
          }),
          options,
        ),
    REDIS_URL === undefined
      ? absentSink("redis", "REDIS_URL", options)
      : routedSink(routedRedis({ url: REDIS_URL, tls: security.tls, log, streamPrefix: prefix }), options),
  ];
}

function storesOf(
  settings: Settings,
  log: Log,
  failing: Failpoints,
  pools: ReadonlyMap<ServiceName, PoolUse>,
): Record<ServiceName, Store> {
  const stores = SERVICES.map((service) => {
    const use = pools.get(service);
    const store = postgresStore(databaseOf(service, settings), {
      name: service,
      log,
      ...(use && { use }),
      ...(settings.DATABASE_PARTITIONS !== undefined && { partitions: settings.DATABASE_PARTITIONS }),
      max: SMALL.has(service) ? SMALL_POOL_SIZE : POOL_SIZE,
    });
    return [service, failing.store(store)] as const;
  });
  return Object.fromEntries(stores) as Record<ServiceName, Store>;
}

function databaseOf(service: ServiceName, settings: Settings): string {
  const url = databasesOf(settings)[service];
  if (url !== undefined) return url;
  throw new TypeError(
    `Cannot open the ${service} database: set DATABASE_URL or ${service.toUpperCase()}_DATABASE_URL, or start the servers with "bun run dev" or "bun run stack"`,
  );
}
