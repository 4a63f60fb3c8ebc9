import { useState } from "react";
import { Link, useLocation } from "wouter";
import { Empty } from "../kit/feedback.tsx";
import { count } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { useParam } from "../kit/param.ts";
import { Table } from "../kit/table.tsx";
import { type Actors, useMetrics, usePolled } from "./api.ts";
import { Instances } from "./instances.tsx";
import { byLabel, type Metrics, total } from "./metrics.ts";

/** The types of actors, what they do, and the way to any one of them. */
export function ActorTypes() {
  const actors = usePolled<Actors>("/actors");
  const { data: metrics } = useMetrics();
  const turns = byLabel(metrics, "troupe_turns_total", "actor");
  return (
    <Page title="Actors">
      <OpenActor />
      <Loaded query={actors}>
        {({ types }) => (
          <Table
            noun="type"
            rows={types}
            rowKey={({ type }) => type}
            empty={<Empty title="No types are registered">Roles of this process hold no actors.</Empty>}
            columns={[
              {
                head: "Type",
                value: ({ type }) => type,
                cell: ({ type }) => <Link href={`/actors/${type}`}>{type}</Link>,
              },
              {
                head: "Store",
                value: ({ store }) => store,
                cell: ({ store }) => <span className="soft">{store}</span>,
              },
              {
                head: "In memory",
                number: true,
                value: ({ inMemory }) => inMemory,
                cell: ({ inMemory }) => count(inMemory),
              },
              {
                head: "Waiting",
                number: true,
                value: ({ mailboxDepth }) => mailboxDepth,
                cell: ({ mailboxDepth }) => count(mailboxDepth),
              },
              {
                head: "Turns here",
                number: true,
                value: ({ type }) => turns.get(type) ?? 0,
                cell: ({ type }) => count(turns.get(type) ?? 0),
              },
              {
                head: "Failed here",
                number: true,
                value: ({ type }) => failed(metrics, type),
                cell: ({ type }) => {
                  const failures = failed(metrics, type);
                  return failures === 0 ? (
                    <span className="soft">0</span>
                  ) : (
                    <strong className="bad">{count(failures)}</strong>
                  );
                },
              },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}

/** One type: its messages and how they went, and the way to an instance. */
export function ActorType() {
  const type = useParam("id");
  const { data: metrics } = useMetrics();
  const messages = [
    ...new Set(
      (metrics?.get("troupe_turns_total") ?? [])
        .filter(({ labels }) => labels["actor"] === type)
        .map(({ labels }) => labels["message"] ?? ""),
    ),
  ];
  const of = (message: string, outcome: string): number =>
    total(metrics, "troupe_turns_total", { actor: type, message, outcome });
  return (
    <Page title={type}>
      <OpenActor type={type} />
      <Table
        noun="message"
        rows={messages}
        rowKey={(message) => message}
        empty={
          <Empty title={`No ${type} had a turn in this process yet`}>
            Send one a message, or open an instance by its key.
          </Empty>
        }
        columns={[
          { head: "Message", value: (message) => message, cell: (message) => <code>{message}</code> },
          ...["ok", "refused", "failed", "uncommitted"].map((outcome) => ({
            head: outcome,
            number: true,
            value: (message: string) => of(message, outcome),
            cell: (message: string) => count(of(message, outcome)),
          })),
        ]}
      />
      <Instances type={type} />
    </Page>
  );
}

function failed(metrics: Metrics | undefined, actor: string): number {
  return total(metrics, "troupe_turns_total", { actor, outcome: "failed" });
}

function OpenActor({ type: given }: { type?: string }) {
  const actors = usePolled<Actors>("/actors", 30_000);
  const [type, setType] = useState(given ?? "order");
  const [key, setKey] = useState("");
  const [, go] = useLocation();
  return (
    <Section title="Open an instance">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() !== "") go(`/actors/${type}/${encodeURIComponent(key.trim())}`);
        }}
      >
        {given === undefined && (
          <select
            className="select filter"
            aria-label="Type"
            value={type}
            onChange={(event) => setType(event.target.value)}
          >
            {(actors.data?.types ?? [{ type }]).map(({ type: name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <input
          className="input grow"
          aria-label="Key"
          placeholder="Its key, as in ord_… or TEA-1"
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <button type="submit" className="button primary">
          Open
        </button>
      </form>
    </Section>
  );
}
