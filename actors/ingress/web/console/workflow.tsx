import { CircleStop } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { useAction } from "../kit/action.ts";
import { Chip } from "../kit/chip.tsx";
import { Confirm } from "../kit/confirm.tsx";
import { duration } from "../kit/format.ts";
import { Json, JsonForm } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { useParam } from "../kit/param.ts";
import { State, Status } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { usePolled, type WorkflowSummary } from "./api.ts";
import { OrderSteps } from "./order-steps.tsx";
import { RunSteps } from "./run-steps.tsx";

interface Run extends WorkflowSummary {
  readonly taskQueue: string;
  readonly result: unknown;
  readonly failure: { readonly type: string; readonly message: string } | null;
  readonly pendingActivities: readonly {
    readonly type: string;
    readonly attempt: number;
    readonly lastFailure: string | null;
  }[];
  readonly memo: unknown;
  readonly searchAttributes?: Readonly<Record<string, unknown>>;
  readonly links: { readonly temporal: string | null };
}

const ORDER = /^(?:fulfil-order|return-order)\/(ord_[A-Za-z0-9-]+)$/;

/** One run of a workflow: how far it is, what fails, what came of it. */
export function WorkflowPage() {
  const id = useParam("id");
  const path = `/workflows/${encodeURIComponent(id)}`;
  const run = usePolled<Run>(path, 2_000);
  const action = useAction([path], ["workflows"]);
  const orderId = ORDER.exec(id)?.[1];
  return (
    <Page
      title={<code className="title-code">{id}</code>}
      tools={
        run.data && (
          <>
            <Status status={run.data.status} />
            {run.data.links.temporal !== null && (
              <a className="button" href={run.data.links.temporal}>
                Temporal
              </a>
            )}
            {run.data.status === "RUNNING" && (
              <Confirm
                label="Cancel"
                icon={CircleStop}
                title="Cancel this run?"
                sure="Cancel the run"
                onSure={() => action.mutate({ path: `${path}/cancel`, done: "Asked to cancel; it undoes what it did" })}
              >
                The workflow is asked to end. What it did is undone where it knows how.
              </Confirm>
            )}
          </>
        )
      }
    >
      <Loaded query={run} rows={3} height={120}>
        {(shown) => {
          const { status, result, failure, memo, searchAttributes } = shown;
          return (
            <>
              {failure !== null && (
                <div className="failure" role="alert">
                  <strong>{failure.type}</strong>
                  <span>{failure.message}</span>
                </div>
              )}
              {orderId !== undefined && <OrderSteps orderId={orderId} />}
              <RunSteps path={path} running={status === "RUNNING"} />
              <div className="halves">
                <div className="stack">
                  <Activities pending={shown.pendingActivities} />
                  <Section title="Result">
                    {status === "RUNNING" ? (
                      <span className="soft">Not yet</span>
                    ) : (
                      <Json value={result ?? null} label="Result" />
                    )}
                  </Section>
                  {status === "RUNNING" && <Signal path={path} />}
                </div>
                <div className="stack">
                  <Facts run={shown} orderId={orderId} />
                  <Section title="Memo and search attributes">
                    <Json value={{ memo, searchAttributes }} label="Memo and search attributes" />
                  </Section>
                </div>
              </div>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Activities({ pending }: { pending: Run["pendingActivities"] }) {
  return (
    <Section title="Activities that wait or fail">
      {pending.length === 0 ? (
        <span className="soft">None</span>
      ) : (
        <ul className="lines">
          {pending.map((activity) => (
            <li key={activity.type}>
              <State tone={activity.lastFailure === null ? "moving" : "warning"}>try {activity.attempt}</State>
              <code>{activity.type}</code>
              <span className="soft grow">{activity.lastFailure ?? "on its way"}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Facts({ run, orderId }: { run: Run; orderId: string | undefined }) {
  const { type, runId, taskQueue, startedAt, closedAt } = run;
  return (
    <Section title="Facts">
      <dl className="facts">
        <dt>Type</dt>
        <dd>{type}</dd>
        <dt>Run</dt>
        <dd>
          <Chip id={runId} label="run id" />
        </dd>
        {orderId !== undefined && (
          <>
            <dt>Order</dt>
            <dd>
              <Link href={`/actors/order/${orderId}`}>its actor</Link>
              {" · "}
              <a href={`/shop/orders/${orderId}`}>its page</a>
            </dd>
          </>
        )}
        <dt>Task queue</dt>
        <dd>
          <code>{taskQueue}</code>
        </dd>
        <dt>Started</dt>
        <dd>
          <When at={startedAt} />
        </dd>
        <dt>Took</dt>
        <dd className="number">{closedAt === null ? "–" : duration(Date.parse(closedAt) - Date.parse(startedAt))}</dd>
      </dl>
    </Section>
  );
}

function Signal({ path }: { path: string }) {
  const [name, setName] = useState("");
  const action = useAction([path]);
  return (
    <Section title="Send a signal">
      <JsonForm
        label="Input, as JSON; empty for none"
        initial=""
        submit="Send"
        disabled={action.isPending || name === ""}
        onSubmit={(input) =>
          action.mutate({
            path: `${path}/signals/${encodeURIComponent(name)}`,
            json: { input },
            done: `${name} was sent`,
          })
        }
      >
        <div className="field">
          <label htmlFor="signal">Signal</label>
          <input id="signal" className="input" value={name} onChange={(event) => setName(event.target.value.trim())} />
        </div>
      </JsonForm>
    </Section>
  );
}
