import { useState } from "react";
import { useAction } from "../kit/action.ts";
import { Chip } from "../kit/chip.tsx";
import { Dialog } from "../kit/dialog.tsx";
import { Empty } from "../kit/feedback.tsx";
import { duration } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { State } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import { type ListPage, usePolled } from "./api.ts";

interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description?: string;
  readonly types?: readonly string[];
  readonly enabled: boolean;
  readonly disabledBecause: string | null;
  readonly failingSince: string | null;
}

interface Attempt {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly eventType: string;
  readonly at: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string | null;
  readonly durationMs: number;
}

const PATH = "/endpoints?limit=200";

/** Who gets webhooks, how that goes, and its last attempts. */
export function EndpointList() {
  const endpoints = usePolled<ListPage<Endpoint>>(PATH);
  const [shown, setShown] = useState<Endpoint>();
  const action = useAction([PATH]);
  return (
    <>
      <Loaded query={endpoints} rows={2}>
        {({ items }) => (
          <Table
            noun="endpoint"
            rows={items}
            rowKey={({ id }) => id}
            empty={
              <Empty
                title="Nobody gets webhooks yet"
                command={`curl -X POST localhost:3000/endpoints -H 'content-type: application/json' -d '{"url":"https://example.com/hook"}'`}
              >
                An endpoint gets events as signed webhooks, tried again until it takes them.
              </Empty>
            }
            columns={[
              { head: "Endpoint", value: ({ id }) => id, cell: ({ id }) => <Chip id={id} label="endpoint id" /> },
              {
                head: "URL",
                value: ({ url }) => url,
                cell: ({ url, description }) => <span title={description}>{url}</span>,
              },
              { head: "Types", cell: ({ types }) => <code>{types?.join(", ") ?? "all"}</code> },
              {
                head: "State",
                value: ({ enabled }) => String(enabled),
                cell: ({ enabled, disabledBecause, failingSince }) => (
                  <State tone={!enabled ? "neutral" : failingSince === null ? "good" : "bad"}>
                    {!enabled ? `off: ${disabledBecause ?? ""}` : failingSince === null ? "delivers" : "failing"}
                  </State>
                ),
              },
              {
                head: "Actions",
                cell: (endpoint) => (
                  <span className="row">
                    <button type="button" className="button" onClick={() => setShown(endpoint)}>
                      Attempts
                    </button>
                    <button
                      type="button"
                      className="button"
                      onClick={() =>
                        action.mutate({
                          path: `/endpoints/${endpoint.id}`,
                          method: "PATCH",
                          json: { enabled: !endpoint.enabled },
                          done: endpoint.enabled ? "Switched off" : "Switched on",
                        })
                      }
                    >
                      {endpoint.enabled ? "Switch off" : "Switch on"}
                    </button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      <Dialog title="Last attempts" kind="drawer" open={shown !== undefined} onClose={() => setShown(undefined)}>
        {shown && <Attempts id={shown.id} />}
      </Dialog>
    </>
  );
}

function Attempts({ id }: { id: string }) {
  const attempts = usePolled<ListPage<Attempt>>(`/endpoints/${id}/attempts`);
  return (
    <Loaded query={attempts}>
      {({ items }) => (
        <ul className="lines">
          {items.map(({ deliveryId, attempt, eventType, at, outcome, status, detail, durationMs }) => (
            <li key={`${deliveryId}/${attempt}`}>
              <State tone={outcome === "delivered" ? "good" : "bad"}>{status ?? outcome}</State>
              <span className="grow">
                {eventType}, try {attempt}
                {detail !== null && <span className="soft todo">{detail}</span>}
              </span>
              <span className="soft small number">{duration(durationMs)}</span>
              <span className="soft small">
                <When at={at} />
              </span>
            </li>
          ))}
          {items.length === 0 && <li className="soft">No webhook was sent to it yet</li>}
        </ul>
      )}
    </Loaded>
  );
}
