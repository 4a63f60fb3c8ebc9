import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ApiError, ask } from "../kit/api.ts";
import { Confirm } from "../kit/confirm.tsx";
import { Failure, Skeleton } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { Page, Section } from "../kit/page.tsx";
import { stored } from "../kit/stored.ts";
import { useToast } from "../kit/toasts.tsx";
import { Differences, type Plan } from "./plan.tsx";
import { type Mark, YamlEditor } from "./yaml-editor.tsx";

const EXAMPLE = `services:
  echo:
    image: troupe/echo:1
    replicas: 2
    ports: [8080]
    health: { http: /, port: 8080 }
`;
/** It is planned once nobody has typed for so long. */
const TYPED_MS = 400;
const YAML = { "content-type": "application/yaml" };
/** What somebody has changed and not applied; `null`: what is in force. */
const draft = stored<string | null>("troupe-config-draft", (kept) => (typeof kept === "string" ? kept : null));

/** The file of the services: what is in force, changed, with the plan as one types, applied on the revision that was planned on. */
export function Config() {
  const inForce = useQuery({ queryKey: ["config-file"], queryFn: fileInForce });
  const changed = draft.use();
  const text = changed ?? inForce.data ?? "";
  const rested = useRested(text);
  const queries = useQueryClient();
  const say = useToast();
  const plan = useQuery({
    queryKey: ["config-plan", rested],
    queryFn: () => ask<Plan>("/config?dryRun=true", { method: "POST", body: rested, headers: YAML }),
    enabled: rested !== "",
    retry: false,
  });
  const apply = useMutation({
    mutationFn: (on: number) =>
      ask<Plan & { readonly revision: number }>("/config", {
        method: "POST",
        body: text,
        headers: { ...YAML, "if-match": `"${on}"` },
      }),
    onSuccess: ({ revision }) => {
      draft.set(() => null);
      say("good", "applied", `Revision ${revision} is being brought about`);
    },
    // Applied, or moved on by somebody else: either way it is planned anew.
    onSettled: () => queries.invalidateQueries(),
  });
  const current = plan.data !== undefined && rested === text && !plan.isFetching ? plan.data : undefined;
  const changes = current?.services.filter(({ change }) => change !== "unchanged") ?? [];
  const removed = changes.filter(({ change }) => change === "remove").map(({ name }) => name);
  const disabled = current === undefined || changes.length === 0 || apply.isPending;
  const onApply = (): void => current && apply.mutate(current.before);
  return (
    <Page
      title="The file of the services"
      tools={
        <>
          <button type="button" className="button" disabled={changed === null} onClick={() => draft.set(() => null)}>
            Discard changes
          </button>
          {removed.length > 0 ? (
            <Confirm
              label="Apply"
              title={`Remove ${removed.join(", ")}?`}
              sure={`Apply, and remove ${plural(removed.length, "service")}`}
              disabled={disabled}
              onSure={onApply}
            >
              The file does not name them, so their containers are stopped and removed. The revision before can be gone
              back to.
            </Confirm>
          ) : (
            <button type="button" className="button primary" disabled={disabled} onClick={onApply}>
              Apply
            </button>
          )}
        </>
      }
    >
      <div className="halves">
        <Section title="YAML">
          <div className="stack">
            {inForce.isPending && changed === null ? (
              <Skeleton height={420} />
            ) : (
              <YamlEditor
                label="The file, as YAML"
                text={text}
                onChange={(next) => draft.set(() => next)}
                marks={rested === text ? marksOf(plan.error) : []}
              />
            )}
            <p className="soft small">Services that are not in the file are removed when it is applied.</p>
          </div>
        </Section>
        <Section
          title="What it would do"
          tools={current && <span className="soft small number">on revision {current.before}</span>}
        >
          <div className="stack" aria-live="polite">
            {apply.error !== null && <Failure error={apply.error} />}
            <Planned plan={current} error={rested === text ? plan.error : null} />
          </div>
        </Section>
      </div>
    </Page>
  );
}

function Planned({ plan, error }: { readonly plan: Plan | undefined; readonly error: Error | null }) {
  const marks = marksOf(error);
  if (marks.length > 0)
    return <span>Nothing: the file holds {plural(marks.length, "error")}. Nothing of it would be taken.</span>;
  if (error !== null) return <Failure error={error} />;
  if (plan === undefined) return <Skeleton rows={3} />;
  if (plan.diff.length === 0) return <span className="soft">Nothing: this is what is in force.</span>;
  return (
    <>
      <span className="soft">{plural(plan.diff.length, "change")}. Nothing changes before you apply.</span>
      <Differences diff={plan.diff} />
    </>
  );
}

/** What is in force, as YAML; an example where nothing is. */
async function fileInForce(): Promise<string> {
  const [{ stringify }, { services, gateway }] = await Promise.all([
    import("yaml"),
    ask<{ readonly services: object; readonly gateway?: readonly unknown[] }>("/config"),
  ]);
  return Object.keys(services).length === 0 ? EXAMPLE : stringify({ services, ...(gateway && { gateway }) });
}

const PLACE = /^line (\d+), column (\d+)$/;

/** The errors of a refused file that say where they are. */
function marksOf(error: Error | null): readonly Mark[] {
  if (!(error instanceof ApiError)) return [];
  return error.errors.flatMap(({ path, message }) => {
    const [, line, column] = PLACE.exec(path) ?? [];
    return line === undefined || column === undefined ? [] : [{ line: Number(line), column: Number(column), message }];
  });
}

/** A text, once it has not changed for a while. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}
