import { LetterReason } from "#actors/gateway/redrive/messages.ts";
import { HttpCounts } from "#actors/ingress/http-counts.ts";
import type { Readiness } from "#actors/ingress/readiness.ts";
import { Service, viewOf } from "#actors/orchestrator/service/service.ts";
import type { OpenOrders } from "#actors/shop/read-model/reports.ts";
import { Buckets, SECONDS } from "#infra/telemetry/buckets.ts";
import { MetricsHistory, type WatchedMetric } from "#infra/telemetry/metrics-history.ts";
import { type Prometheus, prometheus, type Sample } from "#infra/telemetry/prometheus.ts";
import type { Troupe } from "#runtime";
import { describeHost, type LookedAtHost } from "./host-metrics.ts";

/** Services that a scrape shows, at most. */
const MAX_SERVICES = 200;

/** What is kept of the past hours. */
const WATCHED: readonly WatchedMetric[] = [
  { name: "troupe_http_requests_total", kind: "counter", label: "requests a second" },
  { name: "troupe_turns_total", kind: "counter", label: "turns a second" },
  { name: "troupe_commit_seconds_count", kind: "counter", label: "commits a second" },
  { name: "troupe_outbox_pending", kind: "gauge", label: "events in the outbox" },
  { name: "troupe_subscription_lag", kind: "gauge", label: "messages consumers are behind" },
  { name: "troupe_mailbox_depth", kind: "gauge", label: "messages in mailboxes" },
  { name: "troupe_dead_letters", kind: "gauge", label: "dead letters" },
  { name: "process_cpu_seconds_total", kind: "counter", label: "processors in use" },
  { name: "process_resident_memory_bytes", kind: "gauge", label: "bytes of memory" },
];

/** What this process tells Prometheus. */
export interface Telemetry {
  readonly prometheus: Prometheus;
  /** The past hours of what the console shows. */
  readonly history: MetricsHistory;
  /** For the ingress. */
  readonly http: HttpCounts;
  /** A round of a reconcile loop took so many seconds. */
  readonly reconciled: (seconds: number) => void;
}

/** What a scrape looks at; `undefined` while it is not there. */
export interface Looked {
  readonly troupe: () => Troupe | undefined;
  readonly sockets: () => number | undefined;
  /** The invariants of the shop at the last look, 1 for each that holds. */
  readonly invariants: () => Sample[];
  /** Why a broker takes nothing now, by sink. */
  readonly blocked: () => ReadonlyMap<string, () => string | undefined>;
  /** What `/ready` says. */
  readonly readiness: () => Promise<Readiness>;
  /** Orders that have not come to their end, by status; none while it cannot be asked. */
  readonly openOrders: () => Promise<readonly OpenOrders[]>;
}

/** Every metric of the app but those of its nodes, which are attached by `createTroupe`. */
export function openTelemetry(looked: Looked, host: LookedAtHost): Telemetry {
  const { troupe, sockets, invariants, blocked, readiness, openOrders } = looked;
  const made = prometheus();
  const http = new HttpCounts();
  const rounds = new Buckets(SECONDS);

  made.counter("troupe_http_requests_total", "Answered requests", ["route", "method", "status"], () =>
    [...http.counts()].map(({ value, ...labels }) => ({ labels, value })),
  );
  made.histogram("troupe_http_request_seconds", "From a request's head to its answer's", () => http.seconds());
  made.gauge("troupe_ws_connections", "Open sockets", [], () => [{ value: sockets() ?? 0 }]);
  made.gauge("troupe_dead_letters", "Dead letters that are kept", ["reason"], async () => {
    const node = troupe();
    return node === undefined ? [] : await lettersByReason(node);
  });
  made.gauge("troupe_service_replicas", "Replicas of a service", ["service", "kind"], async () => {
    const node = troupe();
    return node === undefined ? [] : await replicas(node);
  });
  made.gauge("troupe_services", "Services by how they stand", ["status"], async () => {
    const node = troupe();
    return node === undefined ? [] : await servicesByStatus(node);
  });
  made.gauge("troupe_orders_open", "Orders that have not come to their end", ["status"], async () =>
    (await openOrders()).map(({ status, orders }) => ({ labels: { status }, value: orders })),
  );
  made.gauge("troupe_component_up", "1 where what this process needs answers", ["component"], async () =>
    (await readiness()).components
      .filter(({ status }) => status !== "absent")
      .map(({ name, status }) => ({ labels: { component: name }, value: status === "up" ? 1 : 0 })),
  );
  made.gauge("troupe_sink_blocked", "1 while the broker takes nothing from publishers (an alarm)", ["sink"], () =>
    [...blocked()].map(([sink, why]) => ({ labels: { sink }, value: why() === undefined ? 0 : 1 })),
  );
  made.gauge("troupe_invariant_holds", "1 where an invariant of the shop held at the last look", ["invariant"], () =>
    invariants(),
  );
  describeHost(made, host);
  made.histogram("troupe_reconcile_seconds", "One round of a reconcile loop", () => [{ of: rounds }]);
  const history = new MetricsHistory({ watched: WATCHED, scrape: () => made.scrape() });
  return { prometheus: made, history, http, reconciled: (seconds) => rounds.add(seconds) };
}

/** Exact; the stores keep the counts. */
async function lettersByReason(node: Troupe): Promise<Sample[]> {
  const counts = await node.deadLetters.counts();
  return LetterReason.options.map((reason) => ({ labels: { reason }, value: counts.get(reason) ?? 0 }));
}

async function servicesByStatus(node: Troupe): Promise<Sample[]> {
  const counts = new Map<string, number>([
    ["converged", 0],
    ["progressing", 0],
    ["degraded", 0],
  ]);
  for (const { key, state } of await node.list(Service, { limit: MAX_SERVICES })) {
    const view = viewOf(key, state);
    if (view !== null && !view.removed) counts.set(view.status, (counts.get(view.status) ?? 0) + 1);
  }
  return [...counts].map(([status, value]) => ({ labels: { status }, value }));
}

async function replicas(node: Troupe): Promise<Sample[]> {
  const services = await node.list(Service, { limit: MAX_SERVICES });
  return services.flatMap(({ key, state }) => {
    const view = viewOf(key, state);
    if (view === null || view.removed) return [];
    return [
      { labels: { service: key, kind: "desired" }, value: view.desired.replicas },
      { labels: { service: key, kind: "observed" }, value: view.observed.length },
    ];
  });
}
