import { Ticket } from "#actors/access/ticket/ticket.ts";
import { gatewayRoutes } from "#actors/gateway/http/gateway.ts";
import { createIngress } from "#actors/ingress/app.ts";
import type { Forward, IngressDeps } from "#actors/ingress/deps.ts";
import { type Readiness, readinessOf } from "#actors/ingress/readiness.ts";
import type { RecentLines } from "#actors/ingress/search/process-log.ts";
import { loopbackOrigins } from "#actors/ingress/sockets/access.ts";
import { socketCaller } from "#actors/ingress/sockets/callers.ts";
import { type KeyWatch, watchKeys } from "#actors/ingress/sockets/key-watch.ts";
import { createRpcSockets, type RpcSocket } from "#actors/ingress/sockets/rpc-sockets.ts";
import type { Session } from "#actors/ingress/sockets/session.ts";
import { createSockets, SOCKET_PATH } from "#actors/ingress/sockets/sockets.ts";
import { type ConfigPolicy, policyFromEnv } from "#actors/orchestrator/config/config.ts";
import { orchestratorRoutes } from "#actors/orchestrator/http/orchestrator.ts";
import { Forwarder } from "#actors/orchestrator/http/traffic/forwarder.ts";
import { type Tunnel, withTunnels } from "#actors/orchestrator/http/traffic/tunnel.ts";
import { shopActors } from "#actors/shop/actors.ts";
import { Problem } from "#infra/http/problem.ts";
import { workflowLink } from "#infra/temporal/links.ts";
import type { Log, Troupe } from "#runtime";
import { workflowClient } from "#workflows/client.ts";
import { openAccess } from "./access.ts";
import type { CertificateFiles } from "./certificate.ts";
import { componentsOf } from "./components.ts";
import type { Connections } from "./connections.ts";
import { listen, type Listener } from "./listener.ts";
import type { LiveSettings } from "./live-settings.ts";
import { OWN_NOUNS } from "./own-nouns.ts";
import type { Settings } from "./settings.ts";
import type { ShopReads, System } from "./system.ts";
import type { Telemetry } from "./telemetry.ts";
import type { AppTracing } from "./tracing.ts";

/** Seconds a connection may be silent: slow senders do not keep sockets. */
const IDLE_SECONDS = 30;
/** Above our own limit, so that a body that is too large gets our answer and not an empty one. */
const SERVER_BODY_LIMIT = 64 * 1024 * 1024;

/** A listening server. */
export interface HttpServer {
  readonly address: string;
  /** How many are open. */
  readonly sockets: number;
  /** What `/ready` answers. */
  readiness(): Promise<Readiness>;
  /** From now on `/ready` answers 503, and every answer closes its connection: clients look for another process. */
  announceStop(): void;
  /** Closes the sockets so that their clients go elsewhere, takes no new connections, lets requests under way end for `drainMs`, then cuts what is left. */
  stop(drainMs: number): Promise<void>;
}

/** What {@link serveHttp} is given. */
export interface ServedBy {
  readonly settings: Settings;
  /** What may change while the process runs. */
  readonly live: Pick<LiveSettings, "current" | "described">;
  readonly connections: Connections;
  readonly system: System;
  readonly telemetry: Telemetry;
  readonly tracing: AppTracing;
  /** The last lines of `log`. */
  readonly lines: RecentLines;
  readonly log: Log;
}

/** Serves HTTP at once, whatever is there of the rest: what is not there yet answers 503. */
export function serveHttp({
  settings,
  live,
  connections,
  system,
  telemetry,
  tracing,
  lines,
  log,
}: ServedBy): HttpServer {
  const { HOST, PORT, TEMPORAL_UI_URL, TEMPORAL_NAMESPACE } = settings;
  const workflows = connections.temporal && workflowClient(connections.temporal, { tracing: tracing.otel });
  const troupe = (): Troupe =>
    system.troupe() ?? notYet("The actor system has not started yet: GET /ready says what it waits for");
  const orchestrator = orchestratorRoutes({
    troupe,
    policy: limited(policyFromEnv(process.env), settings),
    secrets: system.gateway.secrets,
    echoed: settings.KAFKA_BROKERS !== undefined,
    containers: system.containers,
  });
  const access = openAccess({
    settings,
    live: () => live.current(),
    connections,
    troupe,
    started: system.started,
    peer: (request) => listener.peerOf(request),
    changed: () => watch?.changed(),
    log,
  });
  const { guard, keys } = access;
  const gateway = gatewayRoutes({
    troupe,
    directory: () => system.gateway.directory() ?? notYet("The event gateway has not started yet"),
    nouns: () => OWN_NOUNS,
    validator: system.gateway.validator,
    allows: system.gateway.allows,
    secrets: system.gateway.secrets,
    log,
  });
  let stopping = false;
  const readiness = readinessOf(componentsOf(settings, connections, system));
  const forwarder = new Forwarder({ troupe, topics: () => connections.topics, log });
  const shop = (): ShopReads =>
    system.shop() ?? notYet("The read models have not started yet: GET /ready says what they wait for");
  const deps: IngressDeps = {
    troupe,
    rpc: shopActors(),
    forward: forwardPort(forwarder, (request) => listener.peerOf(request)),
    serves: settings.TROUPE_ROLES.includes("ingress"),
    guard,
    origins: () => live.current().ALLOWED_ORIGINS,
    codec: () => connections.temporal?.codec ?? notYet("There is no Temporal here: set TEMPORAL_ADDRESS"),
    codecOrigins: TEMPORAL_UI_URL === undefined ? [] : [new URL(TEMPORAL_UI_URL).origin],
    maxBodyBytes: () => live.current().API_MAX_PAYLOAD_SIZE,
    counts: telemetry.http,
    metrics: telemetry.prometheus,
    pastMetrics: () => telemetry.history.past(),
    tracing: tracing.otel,
    traces: tracing.traces,
    chaos: connections.chaos,
    tails: connections.tails,
    search: {
      actors: system.actors,
      sinks: [...new Set(connections.sinks.map(({ name }) => name))],
      containers: system.containers,
      lines,
    },
    orders: () => shop().orders,
    reports: () => shop().reports,
    audit: () => shop().audit,
    workflows: () => workflows ?? notYet("There is no Temporal here: set TEMPORAL_ADDRESS"),
    settings: () => live.described(),
    readiness: async () => {
      const answer = await readiness();
      return stopping ? { ...answer, status: "unavailable" } : answer;
    },
    links: {
      temporalUi: TEMPORAL_UI_URL ?? null,
      workflow: (id, runId) =>
        TEMPORAL_UI_URL === undefined
          ? null
          : workflowLink(TEMPORAL_UI_URL, TEMPORAL_NAMESPACE, `${connections.temporal?.prefix ?? ""}${id}`, runId),
    },
    log,
  };
  const app = createIngress(deps, [orchestrator, ...gateway]);
  const origins = (): readonly string[] => [
    ...loopbackOrigins(listener.port, listener.scheme),
    ...live.current().ALLOWED_ORIGINS,
  ];
  const redeem = (key: string) => troupe().ref(Ticket, key).redeem();
  const sockets = createSockets({
    topics: () => connections.topics,
    access: {
      origins,
      ...(keys && { authenticate: (request: Request) => socketCaller(request, guard, redeem) }),
    },
    log,
  });
  const rpcSockets = app.rpc && createRpcSockets({ door: app.rpc, guard, origins, redeem, log });
  const openSockets = (): number => sockets.open + (rpcSockets?.open ?? 0);
  const watch: KeyWatch | undefined =
    keys &&
    watchKeys(keys.directory, {
      get open() {
        return openSockets();
      },
      review(good) {
        sockets.review(good);
        rpcSockets?.review(good);
      },
    });
  const listener: Listener = listen<Session | RpcSocket | Tunnel>({
    hostname: HOST.replaceAll(/[[\]]/g, ""),
    port: PORT,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: SERVER_BODY_LIMIT,
    files: certificateFilesOf(settings),
    log,
    fetch: async (request, own) => {
      const response = await app.serve(
        request,
        async (asked, path) =>
          path === SOCKET_PATH
            ? await sockets.upgrade(asked, own as Bun.Server<Session>)
            : await rpcSockets?.upgrade(asked, own as Bun.Server<RpcSocket>),
        (asked, tunnel, headers) => own.upgrade(asked, { data: tunnel, headers }),
      );
      if (stopping) response?.headers.set("connection", "close");
      return response;
    },
    websocket: withTunnels(rpcSockets?.beside(sockets.websocket) ?? sockets.websocket),
  });
  const host = HOST.includes(":") && !HOST.startsWith("[") ? `[${HOST}]` : HOST;
  const address = `${listener.scheme}://${host}:${listener.port}`;
  return {
    address,
    get sockets() {
      return openSockets();
    },
    readiness,
    announceStop() {
      stopping = true;
    },
    async stop(drainMs) {
      keys?.stop();
      watch?.stop();
      sockets.close();
      rpcSockets?.close();
      forwarder.stop();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, drainMs);
      await Promise.race([listener.stop(), late.promise]);
      clearTimeout(timer);
      await listener.cut();
      access.stop();
    },
  };
}

/** The policy with the limits that are set. */
function limited(policy: ConfigPolicy, settings: Settings): ConfigPolicy {
  const { TROUPE_MAX_MEMORY, TROUPE_MAX_CPUS, TROUPE_MAX_PIDS } = settings;
  return {
    ...policy,
    ...(TROUPE_MAX_MEMORY === undefined ? {} : { maxMemoryBytes: TROUPE_MAX_MEMORY }),
    ...(TROUPE_MAX_CPUS === undefined ? {} : { maxCpus: TROUPE_MAX_CPUS }),
    ...(TROUPE_MAX_PIDS === undefined ? {} : { maxPids: TROUPE_MAX_PIDS }),
  };
}

function certificateFilesOf({ API_TLS_CERT, API_TLS_KEY }: Settings): CertificateFiles | undefined {
  return API_TLS_CERT === undefined || API_TLS_KEY === undefined ? undefined : { cert: API_TLS_CERT, key: API_TLS_KEY };
}

/** Requests that are for services, and not for this process. */
function forwardPort(forwarder: Forwarder, peerOf: (request: Request) => string | undefined): Forward {
  return {
    find(request, path, query, own) {
      const peer = (): string | undefined => peerOf(request);
      const direct = forwarder.destinationOf(path, query);
      if (direct !== undefined)
        return {
          kind: "elsewhere",
          access: "key",
          route: "/s/:name/*",
          answer: (upgrade) => forwarder.forward(request, direct, peer(), upgrade),
        };
      const rule = forwarder.ruleFor(path);
      if (rule === undefined) return undefined;
      const { service, origins } = rule;
      if (own(path))
        return service === null
          ? { kind: "own", access: rule.key, origins, pass: () => forwarder.countOwn(rule, peer()) }
          : undefined;
      if (service === null) return undefined;
      return {
        kind: "elsewhere",
        access: rule.key ?? "open",
        origins,
        route: "gateway",
        answer: async (upgrade) => {
          const to = forwarder.destinationBy({ ...rule, service }, path, query, peer());
          return await forwarder.forward(request, to, peer(), upgrade);
        },
      };
    },
  };
}

function notYet(detail: string): never {
  throw new Problem(503, "unavailable", detail, { retryAfter: 1 });
}
