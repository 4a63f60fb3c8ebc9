import { useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useAction } from "../kit/action.ts";
import { Chip } from "../kit/chip.tsx";
import { Confirm } from "../kit/confirm.tsx";
import { useLive } from "../kit/live.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { useParam } from "../kit/param.ts";
import { State, Status } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { type Service, usePolled } from "./api.ts";
import { Logs } from "./logs.tsx";
import { ReplicaDots } from "./replica-dots.tsx";
import { ServiceHappenings } from "./service-happenings.tsx";

/** One service: desired beside observed, why it is as it is, its logs, and what can be done with it. */
export function ServicePage() {
  const name = useParam("id");
  const path = `/services/${encodeURIComponent(name)}`;
  const service = usePolled<Service>(path, 3_000);
  const queries = useQueryClient();
  useLive([`services/${name}`], () => void queries.invalidateQueries({ queryKey: [path] }));
  const [, go] = useLocation();
  const action = useAction([path], ["/services?limit=200"], ["/config/revisions"]);
  const verb = (word: string, done: string): void => action.mutate({ path: `${path}/${word}`, done });
  return (
    <Page
      title={name}
      tools={
        service.data && (
          <>
            <Status status={service.data.paused === true ? "paused" : service.data.status} />
            <button
              type="button"
              className="button"
              onClick={() =>
                service.data.paused === true
                  ? verb("resume", "Goes on")
                  : verb("pause", "Paused: nothing is started or stopped")
              }
            >
              {service.data.paused === true ? "Resume" : "Pause"}
            </button>
            <button type="button" className="button" onClick={() => verb("restart", "Restarting, one after the other")}>
              Restart
            </button>
            <Confirm
              label="Remove"
              icon={Trash2}
              title={`Remove ${name}?`}
              sure="Remove"
              onSure={() =>
                action.mutate({ path, method: "DELETE", done: `${name} is being removed`, then: () => go("/services") })
              }
            >
              All its containers are stopped and removed. A rollback brings it back.
            </Confirm>
          </>
        )
      }
    >
      <Loaded query={service} rows={3} height={120}>
        {(shown) => (
          <>
            {shown.conditions.map(({ type, severity, message, lastTransitionTime }) => (
              <div key={type + message} className="all-well" data-tone={severity === "note" ? "moving" : "bad"}>
                <State tone={severity === "note" ? "moving" : "bad"}>{type.replaceAll("_", " ")}</State>
                <span className="grow">{message}</span>
                {lastTransitionTime != null && (
                  <span className="soft small">
                    <When at={lastTransitionTime} />
                  </span>
                )}
              </div>
            ))}
            <div className="halves">
              <Section title="Desired" tools={<ReplicaDots service={shown} />}>
                <div className="stack">
                  <dl className="facts">
                    <dt>Image</dt>
                    <dd>
                      <code>{shown.desired.image}</code>
                    </dd>
                    <dt>Revision</dt>
                    <dd>
                      <Chip id={shown.desired.revision} label="revision" />
                    </dd>
                  </dl>
                  <Scale
                    key={shown.desired.replicas}
                    replicas={shown.desired.replicas}
                    onScale={(replicas) =>
                      action.mutate({ path, method: "PATCH", json: { replicas }, done: `Scaling to ${replicas}` })
                    }
                  />
                </div>
              </Section>
              <Section title="Observed">
                <ul className="lines">
                  {shown.observed.map(({ containerId, replica, state, healthy, restarts, startedAt, hostPorts }) => (
                    <li key={containerId}>
                      <strong className="number">{replica}</strong>
                      <State tone={healthy ? "good" : state === "running" ? "moving" : "bad"}>
                        {healthy ? "healthy" : state}
                      </State>
                      <Chip id={containerId} label="container id" />
                      <span className="soft small grow">
                        {hostPorts.length > 0 && `:${hostPorts.join(", :")} `}
                        {restarts > 0 && `${restarts} restarts`}
                      </span>
                      {startedAt !== null && (
                        <span className="soft small">
                          <When at={startedAt} />
                        </span>
                      )}
                    </li>
                  ))}
                  {shown.observed.length === 0 && <li className="soft">No container runs</li>}
                </ul>
              </Section>
            </div>
            <ServiceHappenings path={path} />
            <Logs path={path} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Scale({ replicas, onScale }: { replicas: number; onScale: (replicas: number) => void }) {
  const [wanted, setWanted] = useState(replicas);
  return (
    <div className="field">
      <label htmlFor="replicas">
        Replicas: <span className="number">{wanted}</span>
      </label>
      <div className="row">
        <input
          id="replicas"
          className="grow"
          type="range"
          min={0}
          max={Math.max(10, replicas)}
          value={wanted}
          onChange={(event) => setWanted(event.target.valueAsNumber)}
        />
        <button type="button" className="button" disabled={wanted === replicas} onClick={() => onScale(wanted)}>
          Scale
        </button>
      </div>
    </div>
  );
}
