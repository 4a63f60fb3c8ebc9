import { useAction } from "../kit/action.ts";
import { Empty } from "../kit/feedback.tsx";
import { count } from "../kit/format.ts";
import { JsonForm } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import { type Actors, type ListPage, useMetrics, usePolled } from "./api.ts";
import { EndpointList } from "./endpoints.tsx";
import { byLabel } from "./metrics.ts";

interface Route {
  readonly name: string;
  readonly match: { readonly type: string; readonly source?: string };
  readonly to: readonly Readonly<Record<string, string>>[];
  readonly enabled?: boolean;
}

interface Source {
  readonly name: string;
  readonly scheme: string;
  readonly url: string;
  readonly secretCount: number;
}

interface Schema {
  readonly type: string;
  readonly version: number;
  readonly at: string;
}

const TEST = JSON.stringify({ type: "demo.greeted", data: { hello: "world" } }, undefined, 2);

/** How events come in, where they go, and whether they get there. */
export function Events() {
  const routes = usePolled<ListPage<Route>>("/routes?limit=200");
  const sources = usePolled<ListPage<Source>>("/sources?limit=200");
  const schemas = usePolled<ListPage<Schema>>("/schemas?limit=200");
  const action = useAction(["/metrics"], ["dead-letters"]);
  return (
    <Page title="Events">
      <div className="halves">
        <Flow />
        <Section title="Send a test event">
          <JsonForm
            label="Event, as JSON"
            initial={TEST}
            submit="Send"
            disabled={action.isPending}
            onSubmit={(json) =>
              action.mutate({ path: "/events", json, done: "Accepted: its routes take it from here" })
            }
          />
        </Section>
      </div>
      <h2>Routes</h2>
      <Loaded query={routes} rows={2}>
        {({ items }) => (
          <Table
            noun="route"
            rows={items}
            rowKey={({ name }) => name}
            empty={
              <Empty
                title="No routes yet"
                command={`curl -X PUT localhost:3000/routes/demo -H 'content-type: application/json' -d '{"match":{"type":"demo.*"},"to":[{"sink":"kafka","topic":"demo"}]}'`}
              >
                A route says where events of a type go.
              </Empty>
            }
            columns={[
              { head: "Route", value: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong> },
              {
                head: "Takes",
                value: ({ match }) => match.type,
                cell: ({ match }) => (
                  <code>
                    {match.type}
                    {match.source !== undefined && ` of ${match.source}`}
                  </code>
                ),
              },
              {
                head: "To",
                cell: ({ to }) => <code>{to.map((target) => Object.values(target).join(" ")).join(", ")}</code>,
              },
              {
                head: "State",
                value: ({ enabled }) => String(enabled !== false),
                cell: ({ enabled }) => (
                  <State tone={enabled === false ? "neutral" : "good"}>{enabled === false ? "off" : "on"}</State>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      <h2>Endpoints</h2>
      <EndpointList />
      <div className="halves">
        <Section title="Sources">
          <Loaded query={sources} rows={1}>
            {({ items }) => (
              <ul className="lines">
                {items.map(({ name, scheme, url, secretCount }) => (
                  <li key={name}>
                    <strong>{name}</strong>
                    <span className="soft">{scheme}</span>
                    <code className="grow clip">{url}</code>
                    <span className="soft small">{secretCount} secrets</span>
                  </li>
                ))}
                {items.length === 0 && (
                  <li className="soft">No webhooks of others are taken yet: PUT /sources/:name</li>
                )}
              </ul>
            )}
          </Loaded>
        </Section>
        <Section title="Schemas">
          <Loaded query={schemas} rows={1}>
            {({ items }) => (
              <ul className="lines">
                {items.map(({ type, version, at }) => (
                  <li key={type}>
                    <code className="grow">{type}</code>
                    <span className="number">version {version}</span>
                    <span className="soft small">
                      <When at={at} />
                    </span>
                  </li>
                ))}
                {items.length === 0 && <li className="soft">Events of any shape are taken: PUT /schemas/:type</li>}
              </ul>
            )}
          </Loaded>
        </Section>
      </div>
    </Page>
  );
}

/** What waits in the outbox for each sink, and how far behind each consumer is. */
function Flow() {
  const metrics = useMetrics();
  const actors = usePolled<Actors>("/actors");
  const pending = byLabel(metrics.data, "troupe_outbox_pending", "sink");
  const published = byLabel(metrics.data, "troupe_outbox_publish_seconds_count", "sink");
  return (
    <Section title="Outbox and consumers">
      <ul className="lines">
        {[...published].map(([sink, batches]) => (
          <li key={sink}>
            <span className="grow">to {sink}</span>
            <span className="soft small number">{count(batches)} batches</span>
            <span className="number">{count(pending.get(sink) ?? 0)} pending</span>
          </li>
        ))}
        {actors.data?.subscriptions.map(({ actor, source, lag, inFlight, failing }) => (
          <li key={actor + source}>
            <span className="grow">
              {actor} hears {source}
            </span>
            {failing !== null && <State tone="bad">{failing}</State>}
            <span className="soft small number">{count(inFlight)} in flight</span>
            <span className="number">{lag === null ? "lag unknown" : `${count(lag)} behind`}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
