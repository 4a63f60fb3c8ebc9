import { Suspense } from "react";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { count, duration } from "../kit/format.ts";
import { loadLater } from "../kit/load-later.ts";
import { Page, Section } from "../kit/page.tsx";
import { Table } from "../kit/table.tsx";
import { byLabel, type Metrics, total } from "./metrics.ts";
import { Past } from "./past.tsx";
import { type Watched, useHistory } from "./rates.ts";

const Chart = loadLater(() => import("../kit/chart.tsx").then(({ Chart: chart }) => chart));

const WATCHED: readonly Watched[] = [
  { name: "troupe_http_requests_total", kind: "counter" },
  { name: "troupe_turns_total", kind: "counter" },
  { name: "troupe_commit_seconds_count", kind: "counter" },
  { name: "troupe_outbox_pending", kind: "gauge" },
  { name: "troupe_mailbox_depth", kind: "gauge" },
];

/** Rates and queues of the process that answers, since the page was opened; averages since it was started. */
export function Measures() {
  const { metrics, history } = useHistory(WATCHED, 2_000);
  const { times, values } = history;
  const average = (name: string): string => {
    const n = total(metrics, `${name}_count`);
    return n === 0 ? "–" : duration((total(metrics, `${name}_sum`) / n) * 1_000);
  };
  const routes = routesOf(metrics);
  const begun = times.length > 0;
  return (
    <Page title="Metrics">
      <ul className="tiles">
        {[
          ["a turn takes", average("troupe_turn_seconds")],
          ["a commit takes", average("troupe_commit_seconds")],
          ["a request takes", average("troupe_http_request_seconds")],
          ["partitions held", count(total(metrics, "troupe_partitions_owned"))],
        ].map(([label, value]) => (
          <li key={label}>
            <span className="soft small">{label}</span>
            <span className="tile-value number">{value}</span>
          </li>
        ))}
      </ul>
      <div className="halves">
        <Section title="A second">
          <Suspense fallback={<Skeleton height={262} />}>
            {!begun && <Beginning />}
            <Chart
              hidden={!begun}
              label="Requests, turns and commits a second"
              times={times}
              series={[
                { label: "requests", colour: "--moving", values: values[0] ?? [] },
                { label: "turns", colour: "--accent", values: values[1] ?? [] },
                { label: "commits", colour: "--good", values: values[2] ?? [] },
              ]}
            />
          </Suspense>
        </Section>
        <Section title="Waiting">
          <Suspense fallback={<Skeleton height={262} />}>
            {!begun && <Beginning />}
            <Chart
              hidden={!begun}
              label="Events that wait to be published, and messages that wait in mailboxes"
              times={times}
              series={[
                { label: "events in the outbox", colour: "--warning", values: values[3] ?? [] },
                { label: "messages in mailboxes", colour: "--accent", values: values[4] ?? [] },
              ]}
            />
          </Suspense>
        </Section>
      </div>
      <Past />
      <Table
        noun="route"
        rows={routes}
        rowKey={({ route }) => route}
        empty={<Empty title="No requests yet" />}
        columns={[
          { head: "Route", value: ({ route }) => route, cell: ({ route }) => <code>{route}</code> },
          {
            head: "Requests",
            number: true,
            value: ({ requests }) => requests,
            cell: ({ requests }) => count(requests),
          },
          {
            head: "Failed",
            number: true,
            value: ({ failed }) => failed,
            cell: ({ failed }) =>
              failed === 0 ? <span className="soft">0</span> : <strong className="bad">{count(failed)}</strong>,
          },
          {
            head: "Takes",
            number: true,
            value: ({ averageMs }) => averageMs,
            cell: ({ averageMs }) => duration(averageMs),
          },
        ]}
      />
    </Page>
  );
}

interface RouteCounts {
  readonly route: string;
  readonly requests: number;
  /** Answered with 500 or above. */
  readonly failed: number;
  readonly averageMs: number;
}

/** The routes of the API, the busiest first; pages and their files are left out. */
function routesOf(metrics: Metrics | undefined): readonly RouteCounts[] {
  const counts = byLabel(metrics, "troupe_http_request_seconds_count", "route");
  const sums = byLabel(metrics, "troupe_http_request_seconds_sum", "route");
  const failed = new Map<string, number>();
  for (const { labels, value } of metrics?.get("troupe_http_requests_total") ?? [])
    if (Number(labels["status"]) >= 500)
      failed.set(labels["route"] ?? "", (failed.get(labels["route"] ?? "") ?? 0) + value);
  return [...byLabel(metrics, "troupe_http_requests_total", "route")]
    .filter(([route]) => !/^\/(?:console|assets|docs|$)/.test(route))
    .map(([route, requests]) => ({
      ...{ route, requests, failed: failed.get(route) ?? 0 },
      averageMs: ((sums.get(route) ?? 0) / Math.max(1, counts.get(route) ?? 0)) * 1_000,
    }))
    .toSorted((a, b) => b.requests - a.requests);
}

/** In place of a chart that has no point yet. */
function Beginning() {
  return (
    <p className="soft chart-begins" role="status">
      The first points come in a moment.
    </p>
  );
}
