import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { Empty } from "../kit/feedback.tsx";
import { compact, count } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { Sparkline } from "../kit/sparkline.tsx";
import { State, Status } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";
import { TailSection } from "./tail.tsx";

interface Broker {
  readonly name: string;
  readonly status: string;
  readonly places: readonly {
    readonly name: string;
    readonly kind: string;
    readonly messages: number;
    readonly partitions: number | null;
  }[];
  readonly groups: readonly Group[];
}

interface Group {
  readonly name: string;
  readonly place: string;
  readonly lag: number;
  readonly inFlight: number | null;
}

interface Brokers {
  readonly items: readonly Broker[];
  readonly outbox: readonly OutboxSink[];
}

interface OutboxSink {
  readonly sink: string;
  readonly pending: number;
  readonly failing: string | null;
  readonly failingSince: string | null;
}

/** More behind than this is worth a look. */
const LAG = 100;
const POINTS = 40;

/** The four brokers: who reads what and how far behind, what waits to be published, and what passes. */
export function BrokersPage() {
  const brokers = usePolled<Brokers>("/brokers", 2_000);
  const [search, setSearch] = useSearchParams();
  const there = brokers.data?.items.filter(({ status }) => status === "up") ?? [];
  const chosen = there.find(({ name }) => name === search.get("broker"))?.name ?? there[0]?.name;
  return (
    <Page title="Brokers">
      <Loaded query={brokers} rows={4} height={72}>
        {({ items, outbox }) => (
          <>
            <ul className="tiles groups" aria-label="Brokers">
              {items.map((broker) => (
                <Tile
                  key={broker.name}
                  broker={broker}
                  chosen={broker.name === chosen}
                  choose={() => setSearch({ broker: broker.name }, { replace: true })}
                />
              ))}
            </ul>
            {chosen === undefined ? (
              <Empty title="No broker is there" command="bun run doctor">
                Events wait in the outbox until one is.
              </Empty>
            ) : (
              <TailSection key={chosen} broker={chosen} />
            )}
            <Consumers brokers={items} at={brokers.dataUpdatedAt} />
            <div className="halves">
              <Section title="Outbox" tools={<span className="soft small">of the process that answered</span>}>
                <Outbox outbox={outbox} />
              </Section>
              <Section title="Streams, topics and queues">
                <ul className="lines scrolled" tabIndex={0} aria-label="Streams, topics and queues">
                  {items.flatMap(({ name: broker, places }) =>
                    places.map(({ name, kind, messages, partitions }) => (
                      <li key={broker + name}>
                        <span className="soft small line-name">{broker}</span>
                        <code className="grow clip">{name}</code>
                        <span className="soft small">
                          {kind}
                          {partitions !== null && `, ${partitions} partitions`}
                        </span>
                        <span className="number">{count(messages)}</span>
                      </li>
                    )),
                  )}
                </ul>
              </Section>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Tile({ broker, chosen, choose }: { broker: Broker; chosen: boolean; choose: () => void }) {
  const { name, status, places, groups } = broker;
  const kept = places.reduce((sum, { messages }) => sum + messages, 0);
  const behind = Math.max(0, ...groups.map(({ lag }) => lag));
  return (
    <li data-chosen={chosen}>
      <span className="row">
        <strong>{name}</strong>
        <Status status={status} />
      </span>
      <span className="soft small number">
        {status === "up" ? `${compact(kept)} kept, ${compact(behind)} behind at most` : "see /ready for what to do"}
      </span>
      <button type="button" className="button quiet" aria-pressed={chosen} disabled={status !== "up"} onClick={choose}>
        {chosen ? "Shown below" : `Look at ${name}`}
      </button>
    </li>
  );
}

function Outbox({ outbox }: Pick<Brokers, "outbox">) {
  const [shown, setShown] = useState<string>();
  return (
    <ul className="lines">
      {outbox.map(({ sink, pending, failing, failingSince }) => (
        <li key={sink}>
          <span className="grow">to {sink}</span>
          {failing === null ? <State tone="good">flows</State> : <State tone="bad">{failing}</State>}
          {failingSince !== null && (
            <span className="soft small">
              since <When at={failingSince} />
            </span>
          )}
          <span className="number">{count(pending)} pending</span>
          <button
            type="button"
            className="button quiet"
            aria-expanded={shown === sink}
            onClick={() => setShown(shown === sink ? undefined : sink)}
          >
            Cursors
          </button>
          {shown === sink && <Cursors sink={sink} />}
        </li>
      ))}
    </ul>
  );
}

interface Cursor {
  readonly store: string;
  readonly partition: number;
  readonly cursor: number;
  readonly last: number;
  readonly behind: number;
}

/** How far a sink has got in each partition that has a record. */
function Cursors({ sink }: { readonly sink: string }) {
  const cursors = usePolled<{ readonly items: readonly Cursor[] }>(`/outbox/${encodeURIComponent(sink)}`, 2_000);
  return (
    <div className="line-more" role="region" aria-label={`Cursors of ${sink}`}>
      <Loaded query={cursors} rows={3}>
        {({ items }) => (
          <Table
            noun="partition"
            rows={items.filter(({ last }) => last > 0)}
            rowKey={({ store, partition }) => `${store}/${partition}`}
            empty={<Empty title="No partition has a record yet" />}
            columns={[
              {
                head: "Partition",
                value: ({ store, partition }) => `${store}/${String(partition).padStart(4, "0")}`,
                cell: ({ store, partition }) => (
                  <code>
                    {store}/{partition}
                  </code>
                ),
              },
              { head: "Cursor", number: true, value: ({ cursor }) => cursor, cell: ({ cursor }) => count(cursor) },
              { head: "Last", number: true, value: ({ last }) => last, cell: ({ last }) => count(last) },
              {
                head: "Behind",
                number: true,
                value: ({ behind }) => behind,
                cell: ({ behind }) =>
                  behind > LAG ? <State tone="warning">{count(behind)}</State> : <span>{count(behind)}</span>,
              },
            ]}
          />
        )}
      </Loaded>
    </div>
  );
}

interface Row extends Group {
  readonly broker: string;
}

function Consumers({ brokers, at }: { brokers: readonly Broker[]; at: number }) {
  const rows = brokers.flatMap(({ name: broker, groups }) => groups.map((group): Row => ({ broker, ...group })));
  const lags = useLags(rows, at);
  return (
    <Table
      noun="consumer"
      rows={rows}
      rowKey={keyOf}
      empty={<Empty title="Nobody reads there yet">A subscription of an actor makes a consumer when it starts.</Empty>}
      columns={[
        { head: "Consumer", value: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong> },
        {
          head: "Of",
          value: ({ broker, place }) => broker + place,
          cell: ({ broker, place }) => `${broker}: ${place}`,
        },
        {
          head: "In flight",
          number: true,
          value: ({ inFlight }) => inFlight ?? 0,
          cell: ({ inFlight }) => (inFlight === null ? <span className="soft">–</span> : count(inFlight)),
        },
        {
          head: "Behind",
          number: true,
          value: ({ lag }) => lag,
          cell: ({ lag }) => (lag > LAG ? <State tone="warning">{count(lag)}</State> : count(lag)),
        },
        { head: "Lately", wide: true, cell: (row) => <Sparkline values={lags.get(keyOf(row)) ?? []} width={96} /> },
      ]}
    />
  );
}

const keyOf = ({ broker, place, name }: Row): string => `${broker}/${place}/${name}`;

/** The lags of the last looks, by consumer. `at`: when the rows were looked at. */
function useLags(rows: readonly Row[], at: number): ReadonlyMap<string, readonly number[]> {
  const latest = useRef(rows);
  latest.current = rows;
  const [lags, setLags] = useState<ReadonlyMap<string, readonly number[]>>(new Map());
  useEffect(() => {
    setLags(
      (before) =>
        new Map(latest.current.map((row) => [keyOf(row), [...(before.get(keyOf(row)) ?? []), row.lag].slice(-POINTS)])),
    );
  }, [at]);
  return lags;
}
