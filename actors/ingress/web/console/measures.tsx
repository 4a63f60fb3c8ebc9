import { lazy, Suspense } from "react";
import { Empty, Skeleton } from "../kit/feedback.tsx";
import { count, duration } from "../kit/format.ts";
import { Page, Section } from "../kit/page.tsx";
import { Table } from "../kit/table.tsx";
import { byLabel, total } from "./metrics.ts";
import { type Watched, useHistory } from "./rates.ts";

const Chart = lazy(() => import("../kit/chart.tsx").then(({ Chart: chart }) => ({ default: chart })));

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
  const routes = [...byLabel(metrics, "troupe_http_requests_total", "route")];
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
            <Chart
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
            <Chart
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
      <Table
        noun="route"
        rows={routes}
        rowKey={([route]) => route}
        empty={<Empty title="No requests yet" />}
        columns={[
          { head: "Route", value: ([route]) => route, cell: ([route]) => <code>{route}</code> },
          { head: "Requests", number: true, value: ([, n]) => n, cell: ([, n]) => count(n) },
        ]}
      />
    </Page>
  );
}
