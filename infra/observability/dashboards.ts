import type { Dashboard, Panel, Query } from "./dashboard.ts";

const q = (expr: string, legend = ""): Query => ({ expr, legend });
const panel = (title: string, unit: Panel["unit"], ...queries: Query[]): Panel => ({ title, unit, queries });
const quantiles = (metric: string, by = "", where = ""): Query[] =>
  [0.5, 0.99].map((quantile) =>
    q(
      `histogram_quantile(${quantile}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket${where}[$__rate_interval])))`,
      `p${quantile * 100}${by && ` {{${by}}}`}`,
    ),
  );

/** Every dashboard; `bun scripts/ops/dashboards.ts` writes them for Grafana. */
export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: "troupe-runtime",
    title: "Troupe: runtime",
    rows: [
      {
        title: "Requests",
        lookFor:
          "Rate, errors and time of each route. **Look for** a route whose errors rise alone (its own fault) or all routes together (the database, see Commits).",
        panels: [
          panel(
            "Requests",
            "ops",
            q("sum by (route) (rate(troupe_http_requests_total[$__rate_interval]))", "{{route}}"),
          ),
          panel(
            "Errors (5xx)",
            "ops",
            q(
              'sum by (route, status) (rate(troupe_http_requests_total{status=~"5.."}[$__rate_interval]))',
              "{{route}} {{status}}",
            ),
          ),
          panel("Time", "s", ...quantiles("troupe_http_request_seconds", "route")),
        ],
      },
      {
        title: "Messages",
        lookFor:
          "Rate, errors and time of each message. **Look for** `failed` (a handler throws) and `uncommitted` (the store did not take it); `refused` is an actor that says no, which is its right.",
        panels: [
          panel(
            "Turns",
            "ops",
            q("sum by (actor, message) (rate(troupe_turns_total[$__rate_interval]))", "{{actor}}.{{message}}"),
          ),
          panel(
            "Turns that did not end well",
            "ops",
            q(
              'sum by (actor, message, outcome) (rate(troupe_turns_total{outcome!="ok"}[$__rate_interval]))',
              "{{actor}}.{{message}} {{outcome}}",
            ),
          ),
          panel("From turn to commit, p99", "s", ...quantiles("troupe_turn_seconds", "actor").slice(1)),
        ],
      },
      {
        title: "Commits",
        lookFor:
          "Every reply waits for one. **Look for** commits that take longer while batches stay small: locks or the network. Longer with larger batches is load.",
        panels: [
          panel("Commit", "s", ...quantiles("troupe_commit_seconds")),
          panel("Turns of a commit", "short", ...quantiles("troupe_commit_batch_turns")),
          panel(
            "Queries for each connection",
            "short",
            q("max by (database) (troupe_pool_queries / troupe_pool_connections)", "{{database}}"),
          ),
        ],
      },
      {
        title: "Saturation",
        lookFor:
          "How full everything is. **Look for** the first that stands at its limit: the event loop (add a process), lanes (the database), one mailbox (a hot actor).",
        panels: [
          panel("Event loop, p99", "s", q("nodejs_eventloop_lag_p99_seconds", "{{instance}}")),
          panel("Processor", "percentunit", q("rate(process_cpu_seconds_total[$__rate_interval])", "{{instance}}")),
          panel(
            "Lanes",
            "percentunit",
            q(
              "sum by (instance) (troupe_lane_turns_waiting) / sum by (instance) (troupe_lane_turns_limit)",
              "{{instance}} turns",
            ),
            q("sum by (instance) (troupe_lanes_full) / sum by (instance) (troupe_lanes)", "{{instance}} full"),
          ),
          panel(
            "Mailboxes",
            "short",
            q("sum by (actor) (troupe_mailbox_depth)", "{{actor}} waiting"),
            q("sum by (actor) (rate(troupe_messages_turned_away_total[$__rate_interval]))", "{{actor}} turned away"),
          ),
        ],
      },
      {
        title: "Cluster",
        lookFor:
          "Who holds what. **Look for** partitions that wander, and lease ages near 2.5 s: such a process is about to lose what it holds.",
        panels: [
          panel("Partitions", "short", q("troupe_partitions_owned", "{{instance}}")),
          panel("Lease age", "s", q("max by (instance) (troupe_lease_age_seconds)", "{{instance}}")),
          panel(
            "Lease trouble",
            "ops",
            q("rate(troupe_lease_renewal_failures_total[$__rate_interval])", "{{instance}} renewals failed"),
            q("rate(troupe_partitions_lost_total[$__rate_interval])", "{{instance}} partitions lost"),
          ),
          panel("Answering", "short", q("min by (component) (troupe_component_up)", "{{component}}")),
        ],
      },
      {
        title: "Processes",
        lookFor:
          "What they take. **Look for** memory that only grows, several builds at once long after a rollout, and a disk that fills.",
        panels: [
          panel("Memory", "bytes", q("process_resident_memory_bytes", "{{instance}}")),
          panel("Actors in memory", "short", q("sum by (actor) (troupe_actors_active)", "{{actor}}")),
          panel(
            "Builds",
            "short",
            q("count by (version, revision, bun) (troupe_build_info)", "{{version}} {{revision}} Bun {{bun}}"),
          ),
          panel("Disk left", "percentunit", q("troupe_disk_free_bytes / troupe_disk_size_bytes", "{{instance}}")),
        ],
      },
    ],
  },
  {
    uid: "troupe-events",
    title: "Troupe: events",
    rows: [
      {
        title: "Outbox",
        lookFor:
          "Committed records on their way. **Look for** one sink that grows while the others do not: its broker. All together: more is committed than can be carried.",
        panels: [
          panel("Waiting", "short", q("sum by (sink) (troupe_outbox_pending)", "{{sink}}")),
          panel(
            "Hand-overs",
            "ops",
            q("sum by (sink) (rate(troupe_outbox_publish_seconds_count[$__rate_interval]))", "{{sink}}"),
          ),
          panel("Time of a hand-over", "s", ...quantiles("troupe_outbox_publish_seconds", "sink")),
          panel("Blocked by its broker", "short", q("max by (sink) (troupe_sink_blocked)", "{{sink}}")),
        ],
      },
      {
        title: "Subscriptions",
        lookFor:
          "Events at the brokers that our actors have not taken. **Look for** a lag that does not fall: nobody consumes, or a handler throws.",
        panels: [
          panel("Behind", "short", q("max by (source, actor) (troupe_subscription_lag)", "{{actor}} from {{source}}")),
          panel(
            "Passed over",
            "ops",
            q(
              "sum by (source, actor) (rate(troupe_subscription_skipped_total[$__rate_interval]))",
              "{{actor}} from {{source}}",
            ),
          ),
        ],
      },
      {
        title: "Dead letters",
        lookFor:
          "What was given up. **Look for** a step after a deployment (`poison`, `schema`) and a slope (`receiver`: an endpoint that is gone).",
        panels: [
          panel("Kept", "short", q("max by (reason) (troupe_dead_letters)", "{{reason}}")),
          panel("New", "ops", q("sum by (reason) (rate(troupe_dead_letters_total[$__rate_interval]))", "{{reason}}")),
        ],
      },
      {
        title: "Receiving",
        lookFor:
          "Webhooks and events that come in. **Look for** 422: a sender that changed its events; 401: a signature that was rotated on one side only.",
        panels: [
          panel(
            "Events",
            "ops",
            q(
              'sum by (route, status) (rate(troupe_http_requests_total{route=~"/events.*"}[$__rate_interval]))',
              "{{route}} {{status}}",
            ),
          ),
          panel("Time", "s", ...quantiles("troupe_http_request_seconds", "", '{route=~"/events.*"}')),
          panel("Sockets", "short", q("sum(troupe_ws_connections)", "open")),
        ],
      },
    ],
  },
  {
    uid: "troupe-orchestrator",
    title: "Troupe: orchestrator",
    rows: [
      {
        title: "Services",
        lookFor: "What is asked for beside what runs. **Look for** the two lines of a service that stay apart.",
        panels: [
          panel("By status", "short", q("max by (status) (troupe_services)", "{{status}}")),
          panel("Replicas", "short", q("max by (service, kind) (troupe_service_replicas)", "{{service}} {{kind}}")),
        ],
      },
      {
        title: "Reconcile loop",
        lookFor:
          "One round looks and puts right. **Look for** rounds that take seconds: the engine is slow, or images are being fetched.",
        panels: [
          panel("Rounds", "ops", q("sum(rate(troupe_reconcile_seconds_count[$__rate_interval]))", "rounds")),
          panel("Time of a round", "s", ...quantiles("troupe_reconcile_seconds")),
        ],
      },
      {
        title: "Forwarding",
        lookFor:
          "Requests that go on to replicas. **Look for** 502 and 503 during a rollout: a replica was taken for healthy too early.",
        panels: [
          panel(
            "Requests",
            "ops",
            q(
              'sum by (route, status) (rate(troupe_http_requests_total{route=~"/s/.*|gateway"}[$__rate_interval]))',
              "{{route}} {{status}}",
            ),
          ),
          panel("Time", "s", ...quantiles("troupe_http_request_seconds", "", '{route=~"/s/.*|gateway"}')),
        ],
      },
    ],
  },
  {
    uid: "troupe-shop",
    title: "Troupe: shop",
    rows: [
      {
        title: "Orders",
        lookFor:
          "Orders on their way. **Look for** a status that only grows: the step after it is stuck. `needs_attention` should be zero.",
        panels: [
          panel("Open, by status", "short", q("max by (status) (troupe_orders_open)", "{{status}}")),
          panel(
            "Steps of orders",
            "ops",
            q(
              'sum by (message) (rate(troupe_turns_total{actor="order", outcome="ok"}[$__rate_interval]))',
              "{{message}}",
            ),
          ),
          panel(
            "Placing an order",
            "s",
            ...quantiles("troupe_http_request_seconds", "", '{route="/orders", method="POST"}'),
          ),
        ],
      },
      {
        title: "Books",
        lookFor:
          "What must always be true of orders, payments, stock and invoices. **Look for** any line that is not 1.",
        panels: [panel("Invariants", "short", q("min by (invariant) (troupe_invariant_holds)", "{{invariant}}"))],
      },
      {
        title: "Payments and stock",
        lookFor:
          "Refusals are business, failures are faults. **Look for** a provider that declines more than usual, and a hot SKU that turns calls away.",
        panels: [
          panel(
            "Payments",
            "ops",
            q(
              'sum by (message, outcome) (rate(troupe_turns_total{actor="payment"}[$__rate_interval]))',
              "{{message}} {{outcome}}",
            ),
          ),
          panel(
            "Stock",
            "ops",
            q(
              'sum by (message, outcome) (rate(troupe_turns_total{actor="stock"}[$__rate_interval]))',
              "{{message}} {{outcome}}",
            ),
          ),
          panel("Stock: waiting calls", "short", q('sum(troupe_mailbox_depth{actor="stock"})', "waiting")),
        ],
      },
    ],
  },
];
