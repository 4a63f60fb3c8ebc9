import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../kit/api.ts";
import { Failure } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { Page, Section } from "../kit/page.tsx";
import { State, type Tone } from "../kit/state.tsx";
import { stored } from "../kit/stored.ts";
import { useToast } from "../kit/toasts.tsx";

interface Plan {
  readonly revision: number;
  readonly services: readonly { readonly name: string; readonly change: string }[];
}

const EXAMPLE = `services:
  echo:
    image: troupe/echo:1
    replicas: 2
    ports: [8080]
    health: { http: / }
`;
const TONES: Readonly<Record<string, Tone>> = { create: "good", update: "moving", unchanged: "neutral", remove: "bad" };
const draft = stored<string>("troupe-config-draft", (kept) => (typeof kept === "string" ? kept : EXAMPLE));

/** The file of the services: written, planned by a dry run, applied. The draft stays in this browser. */
export function Config() {
  const text = draft.use();
  const queries = useQueryClient();
  const say = useToast();
  const [planned, setPlanned] = useState<string>();
  const send = (dryRun: boolean): Promise<Plan> =>
    ask<Plan>(`/config${dryRun ? "?dryRun=true" : ""}`, {
      method: "POST",
      body: text,
      headers: { "content-type": "application/yaml" },
    });
  const plan = useMutation({ mutationFn: () => send(true), onSuccess: () => setPlanned(text) });
  const apply = useMutation({
    mutationFn: () => send(false),
    onSuccess: ({ revision }) => {
      setPlanned(undefined);
      say("good", "applied", `Revision ${revision} is being brought about`);
      void queries.invalidateQueries();
    },
  });
  const problem = apply.error ?? plan.error;
  const current = planned === text;
  return (
    <Page
      title="The file of the services"
      tools={
        <>
          <button type="button" className="button" disabled={plan.isPending} onClick={() => plan.mutate()}>
            Plan
          </button>
          <button
            type="button"
            className="button primary"
            disabled={!current || apply.isPending}
            onClick={() => apply.mutate()}
          >
            Apply
          </button>
        </>
      }
    >
      <div className="halves">
        <Section title="YAML">
          <textarea
            className="textarea editor"
            aria-label="The file, as YAML"
            spellCheck={false}
            value={text}
            onChange={(event) => draft.set(() => event.target.value)}
            onKeyDown={(event) => {
              if ((event.metaKey || event.ctrlKey) && event.key === "Enter") plan.mutate();
            }}
          />
          <p className="soft small">
            <kbd>Ctrl Enter</kbd> plans. Services that are not in the file are removed when it is applied.
          </p>
        </Section>
        <Section title="What it would do">
          <div className="stack" aria-live="polite">
            {problem !== null && <Failure error={problem} />}
            {problem === null && !current && (
              <span className="soft">Plan to see what would change. Nothing changes before you apply.</span>
            )}
            {current && plan.data && (
              <>
                <span className="soft">
                  {plural(plan.data.services.filter(({ change }) => change !== "unchanged").length, "change")}
                </span>
                <ul className="lines">
                  {plan.data.services.map(({ name, change }) => (
                    <li key={name}>
                      <State tone={TONES[change] ?? "neutral"}>{change}</State>
                      <strong>{name}</strong>
                    </li>
                  ))}
                </ul>
              </>
            )}
          </div>
        </Section>
      </div>
    </Page>
  );
}
