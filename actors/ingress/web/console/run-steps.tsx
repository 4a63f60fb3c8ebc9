import { useState } from "react";
import { count, duration, plural } from "../kit/format.ts";
import { Json } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Section } from "../kit/page.tsx";
import { State, type Tone } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";
import { sayingOf, type Step } from "./sayings.ts";

interface Steps {
  readonly steps: readonly Step[];
  readonly earlier: number;
}

const TONES: Readonly<Record<Step["status"], Tone>> = {
  done: "good",
  failed: "bad",
  under_way: "moving",
  cut_short: "neutral",
};
/** Steps that are shown at first. */
const SHOWN = 60;

/** What a run did, the newest first: reads like a log of its decisions. */
export function RunSteps({ path, running }: { readonly path: string; readonly running: boolean }) {
  const steps = usePolled<Steps>(`${path}/steps`, running ? 3_000 : 60_000);
  const [all, setAll] = useState(false);
  return (
    <Section
      title="What it did"
      tools={
        steps.data && <span className="soft small">{plural(steps.data.steps.length, "step")}, the newest first</span>
      }
    >
      <Loaded query={steps} rows={4} height={44}>
        {({ steps: given, earlier }) => {
          const newest = given.toReversed();
          const shown = all ? newest : newest.slice(0, SHOWN);
          return (
            <>
              <ol className="run-steps">
                {shown.map((step, i) => (
                  <RunStep key={given.length - i} step={step} />
                ))}
              </ol>
              {shown.length < newest.length && (
                <button type="button" className="button" onClick={() => setAll(true)}>
                  Show {count(newest.length - shown.length)} more
                </button>
              )}
              {all && earlier > 0 && <span className="soft small">{count(earlier)} earlier ones are at Temporal</span>}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function RunStep({ step }: { readonly step: Step }) {
  const { at, kind, name, status, attempt, tookMs, value } = step;
  const [open, setOpen] = useState(false);
  const saying = sayingOf(step);
  const hasMore = kind !== "wait" && value !== null;
  return (
    <li data-kind={kind}>
      <span className="run-step-at soft small">
        <When at={at} />
      </span>
      <span className="run-step-state">
        <State tone={kind === "ended" && status === "done" ? "good" : TONES[status]}>{wordOf(step)}</State>
      </span>
      <span className="run-step-what">
        {kind !== "wait" && <strong>{name}</strong>} {saying !== undefined && <span>{saying}</span>}
        {attempt > 1 && <span className="soft small"> try {attempt}</span>}
      </span>
      <span className="run-step-took soft small number">{tookMs === null || tookMs < 1 ? "" : duration(tookMs)}</span>
      {hasMore ? (
        <button
          type="button"
          className="button quiet"
          aria-expanded={open}
          aria-label={`${kind === "activity" || kind === "ended" ? "Result" : "Input"} of ${name}`}
          onClick={() => setOpen(!open)}
        >
          {kind === "activity" || kind === "ended" ? "Result" : "Input"}
        </button>
      ) : (
        <span />
      )}
      {open && (
        <div className="run-step-more">
          <Json value={value} label={`What ${name} has`} />
        </div>
      )}
    </li>
  );
}

function wordOf({ kind, status, value }: Step): string {
  switch (kind) {
    case "wait":
      return status === "under_way"
        ? `waits ${duration(Number(value))}`
        : status === "cut_short"
          ? "woken"
          : `waited ${duration(Number(value))}`;
    case "signal":
    case "update":
      return "was told";
    case "activity":
      return status === "under_way" ? "under way" : status.replace("_", " ");
    case "started":
      return "started";
    case "ended":
      return "ended";
  }
}
