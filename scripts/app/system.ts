import { join } from "node:path";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { Ticket } from "#actors/access/ticket/ticket.ts";
import { TRACES } from "#actors/ingress/routes/traces.ts";
import { Autoscaler } from "#actors/orchestrator/autoscaler/autoscaler.ts";
import { Config } from "#actors/orchestrator/config/config.ts";
import { Host } from "#actors/orchestrator/host/host.ts";
import { knownHosts } from "#actors/orchestrator/host/own-host.ts";
import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import { Job } from "#actors/orchestrator/job/job.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import { Secret } from "#actors/orchestrator/secret/secret.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
/**
 * The actor system of this process, from nothing to running, and back.
 *
 * Owns: the order in which stores, actors, workers and the watcher start and stop. Does not own: the connections they
 * run over, nor HTTP.
 *
 * Y1 A server that is away delays the start, and never ends it: each try begins with what a try left nothing of.
 * Y2 Stores are opened before the actor system: what it would fail on is found out while nothing runs yet.
 * Y3 Stops in the order of need: workers and watcher call actors, so they end first. What it owns goes to the other nodes
 *    while requests are still served, so that they only notice a pause.
 */
import { SHARED_STORES, shopActors } from "#actors/shop/actors.ts";
import { type OrderLists, orderLists } from "#actors/shop/read-model/orders.ts";
import { type Reports, reports } from "#actors/shop/read-model/reports.ts";
import { contractCheck } from "#infra/contracts/check.ts";
import { answerTraces, type TraceQuestion } from "#infra/otel/cluster-traces.ts";
import type { Otel } from "#infra/otel/otel.ts";
import type { TraceStore } from "#infra/otel/trace-store.ts";
import { type AnyActorType, createTroupe, durationMs, type Log, type Store, type Troupe } from "#runtime";
import { workflowClient } from "#workflows/client.ts";
import type { Workers } from "#workflows/worker.ts";
import { type Audit, startAudit } from "./audit.ts";
import { clusterNames } from "./cluster-names.ts";
import type { Connections } from "./connections.ts";
import { SERVICES } from "./databases.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { keepTrying } from "./keep-trying.ts";
import { type Orchestrator, startOrchestrator } from "./orchestrator.ts";
import { containersElsewhere } from "./other-hosts.ts";
import { ensureSchedules } from "./schedules.ts";
import { sealingKeyId, secretKeysOf } from "./secrets.ts";
import { seedProducts } from "./seed.ts";
import type { Settings } from "./settings.ts";
import type { Telemetry } from "./telemetry.ts";
import { startShopWorkers } from "./workers.ts";

const OPEN_WITHIN_MS = 10_000;
/** What `GET /actors/:type/:key` shows of an actor's past. */
const RECENT_TURNS = 10;

/** What is read of the shop as a whole. */
export interface ShopReads {
  readonly orders: OrderLists;
  readonly reports: Reports;
  readonly audit: Audit;
}

/** The actor system as the rest of the process sees it. */
export interface System {
  /** Every actor type of the app. */
  readonly actors: readonly AnyActorType[];
  /** The running node; `undefined` while it is not there yet. */
  troupe(): Troupe | undefined;
  /** What is read of the shop as a whole; `undefined` like the node. */
  shop(): ShopReads | undefined;
  /** The event gateway's part of this process. */
  readonly gateway: Gateway;
  /** The containers of this process's engines, and of those that others drive; `undefined` while nothing can be seen. */
  containers(): OwnContainers | undefined;
  /** The running workers; `undefined` while there are none. */
  workers(): Workers | undefined;
  /** Resolves when every store answers. Rejects while the actor system is not there yet. */
  check(): Promise<void>;
  /** Resolves when it runs and what is to be seeded is there, or when it was stopped before. */
  readonly started: Promise<void>;
  /** Hands the partitions over and ends workers and watcher. Calls are still routed. At the latest after `drainMs`. */
  leave(drainMs: number): Promise<void>;
  /** AppSystem.Y3. Resolves at the latest after `drainMs`, but for what cannot be ended. */
  stop(drainMs: number): Promise<void>;
}

/** Every actor type of the app. */
export function actorTypes(
  { DELIVERY_STEP, DELIVERY_COURIER }: Pick<Settings, "DELIVERY_STEP" | "DELIVERY_COURIER">,
  gateway: Gateway,
): readonly AnyActorType[] {
  const shop = shopActors({ step: DELIVERY_STEP, courier: DELIVERY_COURIER });
  return [...shop, Config, Service, Job, Scaler, Host, Secret, Autoscaler, Keyring, Ticket, ...gateway.actors];
}

/** What {@link startSystem} is given. */
export interface SystemOptions {
  readonly settings: Settings;
  /** What may change while the process runs. */
  readonly live: () => Settings;
  readonly connections: Connections;
  readonly telemetry: Pick<Telemetry, "prometheus" | "reconciled">;
  readonly log: Log;
  readonly tracing: Otel | undefined;
  /** What this node answers to others that ask for traces. */
  readonly traces: TraceStore | undefined;
  /** Where this process serves HTTP, once it does. */
  readonly address: () => string | undefined;
}

/** Starts the actor system in the background. */
export function startSystem({
  settings,
  live,
  connections,
  telemetry,
  log,
  tracing,
  traces,
  address,
}: SystemOptions): System {
  const stopping = new AbortController();
  const trying = { signal: stopping.signal, log };
  const { hosts, temporal } = connections;
  const gateway = createGateway(settings, live, log);
  const actors = actorTypes(settings, gateway);
  let troupe: Troupe | undefined;
  let stores: Readonly<Record<string, Store>> = {};
  let shop: ShopReads | undefined;
  let workers: Workers | undefined;
  let orchestrator: Orchestrator | undefined;

  async function startTroupe(): Promise<Troupe> {
    const { orchestrator, gateway: events, ...services } = connections.stores();
    const shared = Object.entries(SHARED_STORES).map(([type, service]) => [type, services[service]]);
    stores = { ...services, ...Object.fromEntries(shared), ...gateway.storesOf(events), default: orchestrator };
    const transport = connections.transport();
    const reads = connections.orderReads();
    try {
      await connections.nats?.ready(OPEN_WITHIN_MS);
      await Promise.all(Object.values(stores).map((store) => store.open())); // AppSystem.Y2
      const node = await createTroupe({
        actors,
        stores,
        projections: [reads],
        sinks: connections.sinks,
        sources: connections.sources,
        topics: connections.topics,
        log,
        contracts: contractCheck(),
        owns: settings.TROUPE_ROLES.includes("actors"),
        address,
        recentTurns: RECENT_TURNS,
        checkReplies: settings.TROUPE_CHECK_REPLIES === "on",
        retentionMs: durationMs(settings.OUTBOX_RETENTION),
        ...(settings.ACTORS_MAX_ACTIVE === undefined ? {} : { maxActiveActors: settings.ACTORS_MAX_ACTIVE }),
        metrics: telemetry.prometheus.metrics,
        tracing,
        ...(traces !== undefined && {
          answers: { [TRACES]: (question: unknown) => answerTraces(traces, question as TraceQuestion) },
        }),
        ...(transport === undefined ? {} : { transport }),
      });
      const looks = settings.TROUPE_ROLES.includes("workflows");
      const workflows = temporal && workflowClient(temporal);
      shop = {
        orders: orderLists(reads, () => node),
        reports: reports(reads),
        audit: startAudit({ reads, troupe: node, workflows, looks, log }),
      };
      gateway.start(node);
      return node;
    } catch (error) {
      const opened = [...Object.values(stores), reads].map((database) => database.close());
      await Promise.allSettled([...opened, transport?.close()]); // AppSystem.Y1
      throw error;
    }
  }

  async function start(): Promise<void> {
    troupe = await keepTrying("the actor system", startTroupe, trying);
    if (troupe === undefined) return;
    const running = troupe;
    log("info", "troupe:started", { nodeId: running.nodeId, services: SERVICES });
    // Before the workers: bundling the workflows keeps this thread busy for seconds.
    if (settings.TROUPE_SEED === "on") await keepTrying("the demo products", () => seedProducts(running, log), trying);
    if (stopping.signal.aborted) return;
    if (temporal !== undefined && settings.TROUPE_ROLES.includes("workflows")) {
      void keepTrying("the schedules", () => ensureSchedules(temporal, secretKeysOf(settings)[0]), trying);
      workers = startShopWorkers({
        troupe: running,
        temporal,
        log,
        tracing,
        allows: gateway.allows,
        secrets: gateway.secrets,
        settings,
      });
    }
    if (temporal !== undefined && settings.TROUPE_ROLES.includes("scaler")) {
      orchestrator = startOrchestrator({
        troupe: running,
        hosts,
        temporal,
        log,
        tracing,
        secrets: gateway.secrets,
        nats: connections.nats,
        kafka: settings.KAFKA_BROKERS?.split(","),
        rabbitmq: settings.RABBITMQ_URL,
        redis: settings.REDIS_URL,
        tls: connections.security.tls,
        totals: { memoryBytes: settings.TROUPE_HOST_MEMORY, cpus: settings.TROUPE_HOST_CPUS },
        bindRoots: settings.TROUPE_BIND_ROOTS,
        logDirectory: join(settings.TROUPE_DATA, "service-logs", settings.TROUPE_CLUSTER),
        reconciled: telemetry.reconciled,
        sealing: sealingKeyId(settings),
      });
    }
  }

  /** For a process that drives no engine itself. */
  let others: OwnContainers | undefined;
  function elsewhere(): OwnContainers | undefined {
    const { nats } = connections;
    if (troupe === undefined || nats === undefined || settings.TROUPE_ROLES.includes("scaler")) return undefined;
    const { prefix } = clusterNames(settings.TROUPE_CLUSTER);
    return (others ??= containersElsewhere({ nats, prefix, hosts: knownHosts(troupe) }));
  }

  const started = start().catch((error: unknown) => log("error", "app:start:failed", { error }));
  return {
    actors,
    troupe: () => troupe,
    shop: () => shop,
    gateway,
    containers: () => orchestrator?.containers ?? elsewhere(),
    workers: () => together(workers, orchestrator?.workers),
    async check() {
      if (troupe === undefined) throw new Error("the actor system has not started");
      await Promise.all(Object.values(stores).map((store) => store.check()));
    },
    started,
    async leave(drainMs) {
      stopping.abort();
      await started;
      await Promise.allSettled([
        workers?.stop(),
        orchestrator?.workers.stop(),
        orchestrator?.stop(),
        troupe?.leave(drainMs),
      ]);
    },
    async stop(drainMs) {
      stopping.abort();
      await started;
      gateway.stop();
      await shop?.audit.stop();
      await Promise.allSettled([workers?.stop(), orchestrator?.workers.stop(), orchestrator?.stop()]); // AppSystem.Y3
      await troupe?.stop(drainMs);
    },
  };
}

/** Two sets of workers as one; `undefined` where there is neither. */
function together(one: Workers | undefined, other: Workers | undefined): Workers | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    running: () => [...one.running(), ...other.running()],
    ready: async () => void (await Promise.all([one.ready(), other.ready()])),
    stop: async () => void (await Promise.all([one.stop(), other.stop()])),
  };
}
