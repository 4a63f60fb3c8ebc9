import { useState } from "react";
import { Link } from "wouter";
import { type RunAction, useAction } from "../kit/action.ts";
import { ApiError } from "../kit/api.ts";
import { Empty } from "../kit/feedback.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";
import { Needs } from "./needs.tsx";
import { Topology } from "./topology.tsx";

interface Target {
  readonly kind: "still" | "slow" | "kill";
  readonly target: string;
  readonly label: string;
}

interface Chaos {
  readonly targets: readonly Target[];
  readonly faults: readonly (Target & {
    readonly id: string;
    readonly since: string;
    readonly until: string;
    readonly delayMs: number | null;
  })[];
}

const PATH = "/chaos";
const LASTS = ["10s", "30s", "2m", "5m"];
const KINDS = {
  still: {
    title: "Let a server stand still",
    verb: "Stop it",
    says: "Its process is stopped where it stands, as if its machine had frozen. Then it goes on.",
  },
  slow: {
    title: "Slow the way to a broker",
    verb: "Slow it",
    says: "Each publish of this process waits half a second. Events pile up in the outbox, and are lost nowhere.",
  },
  kill: {
    title: "Kill a container",
    verb: "Kill it",
    says: "It ends at once, without being asked. Its service is put right by itself.",
  },
} as const;

/** For development: faults on purpose, and how the system bears them. */
export function ChaosPage() {
  const chaos = usePolled<Chaos>(PATH, 2_000);
  const action = useAction([PATH]);
  if (chaos.error instanceof ApiError && chaos.error.status === 404)
    return (
      <Page title="Chaos">
        <Empty title="No faults are done here" command="TROUPE_CHAOS=on bun run dev">
          This page is for development: a process does faults on purpose where it is told so, on loopback alone.
        </Empty>
      </Page>
    );
  return (
    <Page title="Chaos">
      <Loaded query={chaos} rows={3} height={90}>
        {({ targets, faults }) => (
          <>
            <Lasting faults={faults} action={action} />
            <div className="thirds">
              {(["still", "slow", "kill"] as const).map((kind) => (
                <Begin key={kind} kind={kind} targets={targets.filter((one) => one.kind === kind)} action={action} />
              ))}
            </div>
          </>
        )}
      </Loaded>
      <h2>Watch</h2>
      <Needs />
      <Topology />
      <p className="soft">
        What waits meanwhile is on <Link href="/brokers">Brokers</Link>; whether anything was lost or doubled say the{" "}
        <a href="/simulator">invariants of the shop</a>.
      </p>
    </Page>
  );
}

function Lasting({ faults, action }: { faults: Chaos["faults"]; action: RunAction }) {
  if (faults.length === 0) return null;
  return (
    <Section title="Under way">
      <ul className="lines">
        {faults.map(({ id, kind, label, until, delayMs }) => (
          <li key={id}>
            <State tone="warning">{kind === "still" ? "stands still" : "slow"}</State>
            <span className="grow">
              {label}
              {delayMs !== null && <span className="soft"> waits {delayMs} ms each time</span>}
            </span>
            <span className="soft small">
              ends <When at={until} />
            </span>
            <button
              type="button"
              className="button"
              onClick={() => action.mutate({ path: `${PATH}/${id}`, method: "DELETE", done: `${label} goes on` })}
            >
              End it
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Begin({ kind, targets, action }: { kind: Target["kind"]; targets: readonly Target[]; action: RunAction }) {
  const [target, setTarget] = useState("");
  const [lasts, setLasts] = useState("30s");
  const { title, verb, says } = KINDS[kind];
  const chosen = targets.find((one) => one.target === target) ?? targets[0];
  return (
    <Section title={title}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen === undefined) return;
          const done = kind === "kill" ? `${chosen.label} was killed` : `${chosen.label}: for ${lasts}`;
          action.mutate({ path: PATH, json: { kind, target: chosen.target, for: lasts }, done });
        }}
      >
        <p className="soft small">{says}</p>
        {chosen === undefined ? (
          <span className="soft">
            {kind === "kill"
              ? "No container runs: apply a file of services first."
              : "No server here was started by bun run dev."}
          </span>
        ) : (
          <div className="row">
            <select
              className="select grow"
              aria-label={`${title}: which`}
              value={chosen.target}
              onChange={(event) => setTarget(event.target.value)}
            >
              {targets.map((one) => (
                <option key={one.target} value={one.target}>
                  {one.label}
                </option>
              ))}
            </select>
            {kind !== "kill" && (
              <select
                className="select"
                aria-label={`${title}: how long`}
                value={lasts}
                onChange={(event) => setLasts(event.target.value)}
              >
                {LASTS.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            )}
            <button type="submit" className="button danger" disabled={action.isPending}>
              {verb}
            </button>
          </div>
        )}
      </form>
    </Section>
  );
}
