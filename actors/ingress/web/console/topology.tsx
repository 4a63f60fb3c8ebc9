import { Link } from "wouter";
import { compact, duration, plural } from "../kit/format.ts";
import { Section } from "../kit/page.tsx";
import { Sparkline } from "../kit/sparkline.tsx";
import { type Actors, type ListPage, type Ready, type Service, useMetrics, usePolled } from "./api.ts";
import { rateText, useFlows } from "./flows.ts";
import { byLabel, total } from "./metrics.ts";

interface Box {
  readonly name: string;
  readonly fact: string;
  /** What passes it a second, lately. */
  readonly rates?: readonly number[];
  /** How long it takes, as most people see it. */
  readonly p99Ms?: number | undefined;
  readonly to: string;
  readonly wrong?: string | undefined;
}

/** The way of a request through the system, left to right: ways in, actors, stores, brokers, and who hears of it. */
export function Topology() {
  const { data: metrics, dataUpdatedAt } = useMetrics();
  const flows = useFlows(metrics, dataUpdatedAt);
  const actors = usePolled<Actors>("/actors").data;
  const ready = usePolled<Ready>("/ready").data;
  const services = usePolled<ListPage<Service>>("/services?limit=200").data;
  const down = (name: string): string | undefined =>
    ready?.components.find((component) => component.name === name && component.status === "down")?.how;
  const pending = byLabel(metrics, "troupe_outbox_pending", "sink");
  const busiest = [...byLabel(metrics, "troupe_turns_total", "actor")]
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a);
  const columns: readonly (readonly [string, readonly Box[]])[] = [
    [
      "Ways in",
      [
        {
          name: "HTTP",
          fact: `${compact(total(metrics, "troupe_http_requests_total"))} requests`,
          to: "/metrics",
          ...flows.get("http"),
        },
        { name: "WebSocket", fact: `${compact(total(metrics, "troupe_ws_connections"))} open`, to: "/metrics" },
      ],
    ],
    [
      "Actors",
      busiest.slice(0, 6).map(([type, turns]) => ({
        ...{ name: type, fact: `${compact(turns)} turns`, to: `/actors/${type}` },
        ...flows.get(`actor ${type}`),
      })),
    ],
    [
      "Stores",
      [
        {
          name: "postgres",
          fact: plural(actors?.stores.length ?? 0, "database"),
          to: "/cluster",
          wrong: down("postgres"),
          ...flows.get("store"),
        },
      ],
    ],
    [
      "Brokers",
      ["nats", "kafka", "rabbitmq", "redis"].map((name) => ({
        name,
        fact: `${compact(pending.get(name) ?? 0)} pending`,
        to: `/brokers?broker=${name}`,
        wrong: down(name),
        ...flows.get(`sink ${name}`),
      })),
    ],
    [
      "Consumers",
      (actors?.subscriptions ?? []).map(({ actor, source, lag, failing }) => ({
        name: actor,
        fact: `${source}, ${lag === null ? "lag unknown" : `${compact(lag)} behind`}`,
        to: `/brokers?broker=${source}`,
        wrong: failing ?? undefined,
      })),
    ],
    [
      "Runs",
      [
        { name: "temporal", fact: "workflows", to: "/workflows", wrong: down("temporal") ?? down("worker") },
        {
          name: "docker",
          fact: plural(services?.items.length ?? 0, "service"),
          to: "/services",
          wrong: down("docker"),
        },
      ],
    ],
  ];
  return (
    <Section title="The way of a message">
      <div className="topology" tabIndex={0} role="group" aria-label="The way of a message">
        {columns.map(([title, boxes]) => (
          <div key={title} className="topology-column">
            <h3 className="soft">{title}</h3>
            {boxes.map(({ name, fact, to, wrong, rates, p99Ms }) => (
              <Link key={name + fact} href={to} className="topology-box" data-wrong={wrong !== undefined} title={wrong}>
                <strong>{name}</strong>
                <span className="soft small number">{wrong ?? fact}</span>
                {rates !== undefined && (
                  <span className="soft small number topology-flow">
                    <Sparkline values={rates} width={44} height={14} />
                    {rateText(rates.at(-1) ?? 0)}
                    {p99Ms !== undefined && ` · p99 ${duration(p99Ms)}`}
                  </span>
                )}
              </Link>
            ))}
            {boxes.length === 0 && <span className="soft small">none yet</span>}
          </div>
        ))}
      </div>
    </Section>
  );
}
