import { useQuery } from "@tanstack/react-query";
import { Pause, Play, RotateCw } from "lucide-react";
import { type RunAction, useAction } from "../kit/action.ts";
import { ask } from "../kit/api.ts";
import { Chip } from "../kit/chip.tsx";
import { Empty } from "../kit/feedback.tsx";
import { duration, plural } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { useParam } from "../kit/param.ts";
import { State, Status } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { Journal } from "./journal.tsx";
import { SendMessage } from "./send-message.tsx";
import { StateTree } from "./state-tree.tsx";

interface Instance {
  readonly type: string;
  readonly key: string;
  readonly exists: boolean;
  readonly version: number;
  readonly state: unknown;
  readonly paused: { readonly since: string; readonly reason: string } | null;
  readonly timers: readonly { readonly name: string; readonly dueAt: string; readonly send: string }[];
  readonly active: boolean;
  readonly mailboxDepth: number;
  readonly turns: readonly {
    readonly message: string;
    readonly origin: string;
    readonly attempt: number;
    readonly at: string;
    readonly durationMs: number;
    readonly outcome: string;
  }[];
  readonly nodeId: string;
  readonly partition: number;
}

/** One actor: its state, timers and last turns, and what can be done with it. */
export function ActorPage() {
  const type = useParam("id");
  const key = useParam("key");
  const path = `/actors/${encodeURIComponent(type)}/${encodeURIComponent(key)}`;
  const instance = useQuery({ queryKey: [path], queryFn: () => ask<Instance>(path), refetchInterval: 3_000 });
  const action = useAction([path]);
  return (
    <Page
      title={
        <>
          <span className="soft">{type} / </span>
          {key}
        </>
      }
      tools={
        <Tools
          path={path}
          action={action}
          paused={instance.data?.paused != null}
          loaded={instance.data !== undefined}
        />
      }
    >
      <Loaded query={instance} rows={3} height={120}>
        {(actor) => (
          <>
            {actor.paused !== null && (
              <div className="all-well" data-tone="warning">
                <State tone="warning">paused</State>
                <span>
                  <When at={actor.paused.since} />: {actor.paused.reason}
                </span>
              </div>
            )}
            <Facts actor={actor} />
            <div className="halves">
              <Section title="State">
                {actor.exists ? (
                  <StateTree value={actor.state} />
                ) : (
                  <Empty title="No state yet">Its first message that changes something makes it.</Empty>
                )}
              </Section>
              <div className="stack">
                <SendMessage type={type} path={path} />
                <Timers timers={actor.timers} />
                <LastTurns turns={actor.turns} />
                <Journal type={type} path={path} />
              </div>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

interface ToolsProps {
  readonly path: string;
  readonly action: RunAction;
  readonly paused: boolean;
  /** Whether it is known yet how the actor is. */
  readonly loaded: boolean;
}

/** Pausing, resuming, loading anew. */
function Tools({ path, action, paused, loaded }: ToolsProps) {
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={action.isPending || !loaded}
        onClick={() =>
          action.mutate(
            paused
              ? { path: `${path}/resume`, done: "Resumed: what waited is handled now" }
              : {
                  path: `${path}/pause`,
                  json: { reason: "paused in the console" },
                  done: "Paused: what is sent to it waits",
                },
          )
        }
      >
        {paused ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
        {paused ? "Resume" : "Pause"}
      </button>
      <button
        type="button"
        className="button"
        disabled={action.isPending}
        onClick={() => action.mutate({ path: `${path}/reload`, done: "Loaded from the store anew" })}
      >
        <RotateCw size={14} aria-hidden="true" />
        Reload
      </button>
    </>
  );
}

/** How it is, in a row. */
function Facts({ actor }: { actor: Instance }) {
  return (
    <dl className="facts-row">
      <div>
        <dt>Version</dt>
        <dd className="number">{actor.exists ? actor.version : "not there yet"}</dd>
      </div>
      <div>
        <dt>Memory</dt>
        <dd>{actor.active ? "loaded" : "at rest"}</dd>
      </div>
      <div>
        <dt>Waiting</dt>
        <dd>{plural(actor.mailboxDepth, "message")}</dd>
      </div>
      <div>
        <dt>Partition</dt>
        <dd className="number">{actor.partition}</dd>
      </div>
      <div>
        <dt>Node</dt>
        <dd>
          <Chip id={actor.nodeId} label="node id" />
        </dd>
      </div>
    </dl>
  );
}

function Timers({ timers }: Pick<Instance, "timers">) {
  return (
    <Section title="Timers">
      {timers.length === 0 ? (
        <span className="soft">None is set</span>
      ) : (
        <ul className="lines">
          {timers.map(({ name, dueAt, send }) => (
            <li key={name}>
              <code className="grow clip">{name}</code>
              <span className="soft">sends {send}</span>
              <When at={dueAt} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function LastTurns({ turns }: Pick<Instance, "turns">) {
  return (
    <Section title="Last turns">
      {turns.length === 0 ? (
        <span className="soft">None since it was loaded</span>
      ) : (
        <ul className="lines">
          {turns.slice(0, 20).map(({ message, origin, at, durationMs, outcome }, i) => (
            <li key={`${at}/${i}`}>
              <code className="grow clip">{message}</code>
              <span className="soft small">{origin}</span>
              <Status status={outcome} />
              <span className="number small">{duration(durationMs)}</span>
              <span className="soft small">
                <When at={at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
