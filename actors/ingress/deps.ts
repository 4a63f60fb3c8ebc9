import type { PayloadCodec } from "@temporalio/common";
import type { InvariantCheck } from "#actors/shop/http/deps.ts";
import type { OrderLists } from "#actors/shop/read-model/orders.ts";
import type { Reports } from "#actors/shop/read-model/reports.ts";
import type { Access } from "#infra/http/access.ts";
import type { TraceStore } from "#infra/otel/trace-store.ts";
import type { BrokerTail } from "#infra/tail/tail.ts";
import type { PastMetrics } from "#infra/telemetry/metrics-history.ts";
import type { WorkflowLinks } from "#infra/temporal/links.ts";
import type { AnyActorType, Log, Tracing, Troupe } from "#runtime";
import type { WorkflowClient } from "#workflows/client.ts";
import type { Guard } from "../access/guard/guard.ts";
import type { UpgradeTunnel } from "../orchestrator/http/traffic/forwarder.ts";
import type { Chaos } from "./chaos.ts";
import type { HttpCounts } from "./http-counts.ts";
import type { Readiness } from "./readiness.ts";
import type { SearchDeps } from "./search/deps.ts";

/** What the ingress speaks to. Given by whoever starts the process. */
export interface IngressDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** The actors that `/rpc` reaches. Default: none, and there are no such routes. */
  readonly rpc?: readonly AnyActorType[];
  /** Lists of orders, from their read model. @throws {Problem} 503 while it is not there yet. */
  readonly orders: () => OrderLists;
  /** Figures of the shop, likewise. @throws {Problem} 503 while they are not there yet. */
  readonly reports: () => Reports;
  /** The invariants of the shop. @throws {Problem} 503 while they cannot be checked yet. */
  readonly audit: () => InvariantCheck;
  /** The workflows. @throws {Problem} 503 when there is no Temporal. */
  readonly workflows: () => WorkflowClient;
  readonly readiness: () => Promise<Readiness>;
  /** The settings in force; without it there is no `GET /settings`. */
  readonly settings?: () => readonly SettingInForce[];
  /** Whether this process serves others. If not, it tells of itself alone: `/health`, `/ready`, `/metrics`. @default true */
  readonly serves?: boolean;
  /** Who may come in, and how often. None: everybody, at any rate. */
  readonly guard?: Guard | undefined;
  /** Origins whose pages may read answers, to the character: `https://shop.example`. Default: none but our own. */
  readonly origins?: () => readonly string[];
  /** Services that requests are handed on to. None: there are no such paths. */
  readonly forward?: Forward;
  /** The codec of Temporal's payloads; without it there are no such routes. @throws {Problem} 503 when there is no Temporal. */
  readonly codec?: () => PayloadCodec;
  /** Further origins whose pages may use the codec: that of the Temporal UI. Default: none. */
  readonly codecOrigins?: readonly string[];
  /** The largest body of a request. @default 1 MiB */
  readonly maxBodyBytes?: () => number;
  /** Where answers are counted. */
  readonly counts?: HttpCounts;
  /** What `GET /metrics` answers; without it there is no such route. */
  readonly metrics?: MetricsText;
  /** What `GET /metrics/history` answers; without it there is no such route. */
  readonly pastMetrics?: (() => PastMetrics) | undefined;
  /** Where the spans of requests go. None: traces are handed on, and nothing of them is told. */
  readonly tracing?: Tracing | undefined;
  /** The last traces; without it there are no such routes. */
  readonly traces?: TraceStore | undefined;
  /** The brokers that can be looked at; without them there are no such routes. */
  readonly tails?: readonly BrokerTail[];
  /** Faults on purpose; without it there are no such routes. */
  readonly chaos?: Chaos | undefined;
  /** What `GET /search` looks at; without it there is no such route. */
  readonly search?: SearchDeps;
  readonly links: Links;
  readonly log: Log;
}

/** Hands requests on to services. */
export interface Forward {
  /** What becomes of a path; `undefined`: it is a route of ours. `own` tells whether a path is: those go before rules. */
  find(request: Request, path: string, query: string, own: (path: string) => boolean): Forwarding | undefined;
}

/** A request for a service, or one for a route of our own that a rule binds further. */
export type Forwarding = ForService | ForOwnRoute;

export interface ForOwnRoute {
  readonly kind: "own";
  /** Who may ask, beyond what the route itself wants; `null`: nobody else is kept out. */
  readonly access: Access | null;
  /** Further origins whose pages may read the answer. */
  readonly origins: readonly string[];
  /** Counts the request. @throws {Problem} 429 */
  pass(): void;
}

export interface ForService {
  readonly kind: "elsewhere";
  /** Who may ask. */
  readonly access: Access;
  /** Further origins whose pages may read the answer. */
  readonly origins?: readonly string[];
  /** What it is counted as. */
  readonly route: string;
  /** The answer; `undefined`: the request became a WebSocket. */
  answer(upgrade: UpgradeTunnel | undefined): Promise<Response | undefined>;
}

/** What a scrape gets. */
export interface MetricsText {
  /** @param accept what the scraper reads, by its `Accept`. */
  scrape(accept: string | null): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A setting in force: no password, no key. */
export interface SettingInForce {
  readonly name: string;
  readonly value: string;
  /** As in `environment`, `default`, `troupe.yaml line 3, column 14: /api/rateLimit`. */
  readonly origin: string;
  readonly meaning: string;
}

/** Addresses of pages elsewhere. */
export interface Links extends WorkflowLinks {
  /** The Temporal UI itself. */
  readonly temporalUi: string | null;
}
