import { useState } from "react";
import { Link } from "wouter";
import { Chip } from "../kit/chip.tsx";
import { count, duration } from "../kit/format.ts";
import { Json } from "../kit/json.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { useParam } from "../kit/param.ts";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";
import { placed, type PlacedSpan, type Span, themeOf } from "./trace-tree.ts";

interface Trace {
  readonly traceId: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly dropped: number;
  readonly spans: readonly Span[];
}

const THEMES = [
  ["http", "request"],
  ["turn", "turn"],
  ["store", "commit"],
  ["broker", "broker"],
  ["workflow", "workflow"],
  ["other", "other"],
] as const;
/** More rows at once are slow to draw, and nobody reads them. */
const ROWS = 400;
const INDENT_PX = 12;
const MAX_DEPTH = 10;

/** One trace: a waterfall of its spans, and what each of them says. */
export function TracePage() {
  const id = useParam("id");
  const trace = usePolled<Trace>(`/traces/${id}`, 3_000);
  const [chosen, choose] = useState<string>();
  const [most, setMost] = useState(ROWS);
  return (
    <Page title="Trace" tools={<Chip id={id} label="trace id" />}>
      <Loaded query={trace} rows={12} height={28}>
        {({ spans, durationMs, startedAt, dropped }) => {
          const rows = placed(spans);
          const span = spans.find(({ spanId }) => spanId === chosen);
          return (
            <>
              <p className="soft">
                {count(spans.length)} spans in {duration(durationMs)}, <When at={startedAt} />
                {dropped > 0 && `; ${count(dropped)} more had no room`}
              </p>
              <ul className="trace-legend" aria-label="Colours">
                {THEMES.map(([theme, word]) => (
                  <li key={theme} className="small">
                    <i data-theme-of={theme} /> {word}
                  </li>
                ))}
              </ul>
              {span !== undefined && <Details span={span} close={() => choose(undefined)} />}
              <Section title="Waterfall">
                <ol className="waterfall">
                  {rows.slice(0, most).map((row) => (
                    <Row
                      key={row.span.spanId}
                      row={row}
                      totalMs={durationMs}
                      chosen={row.span.spanId === chosen}
                      choose={choose}
                    />
                  ))}
                </ol>
                {rows.length > most && (
                  <button type="button" className="button" onClick={() => setMost(most + ROWS)}>
                    Show {count(Math.min(ROWS, rows.length - most))} more
                  </button>
                )}
              </Section>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Row({
  row: { span, depth },
  totalMs,
  chosen,
  choose,
}: {
  row: PlacedSpan;
  totalMs: number;
  chosen: boolean;
  choose: (spanId: string) => void;
}) {
  const part = (ms: number): string => `${totalMs === 0 ? 0 : Math.min(100, (ms / totalMs) * 100)}%`;
  return (
    <li>
      <button type="button" className="span-row" aria-pressed={chosen} onClick={() => choose(span.spanId)}>
        <span className="span-name clip" style={{ paddingLeft: Math.min(depth, MAX_DEPTH) * INDENT_PX }}>
          {span.failure !== null && <strong className="bad">! </strong>}
          {span.name}
          {typeof span.attributes["messaging.system.name"] === "string" && span.kind !== "internal" && (
            <span className="soft"> {span.attributes["messaging.system.name"]}</span>
          )}
        </span>
        <span className="span-lane" aria-hidden="true">
          <i
            data-theme-of={themeOf(span)}
            data-failed={span.failure !== null}
            data-waits={span.name.startsWith("outbox ")}
            style={{ left: part(span.offsetMs), width: part(span.durationMs) }}
          />
        </span>
        <span className="span-took number small">{duration(span.durationMs)}</span>
      </button>
    </li>
  );
}

function Details({ span, close }: { span: Span; close: () => void }) {
  const actor = span.attributes["troupe.actor.type"];
  const key = span.attributes["troupe.actor.key"];
  const workflow = span.attributes["troupe.workflow.id"];
  return (
    <Section
      title={span.name}
      tools={
        <button type="button" className="button" onClick={close}>
          Close
        </button>
      }
    >
      <div className="stack">
        {span.failure !== null && (
          <div className="failure" role="alert">
            <strong>It failed</strong>
            <span>{span.failure}</span>
          </div>
        )}
        <dl className="facts">
          <dt>Took</dt>
          <dd className="number">
            {duration(span.durationMs)}, from {duration(span.offsetMs)} on
          </dd>
          <dt>Process</dt>
          <dd>{span.service}</dd>
          {typeof actor === "string" && typeof key === "string" && (
            <>
              <dt>Actor</dt>
              <dd>
                <Link href={`/actors/${actor}/${encodeURIComponent(key)}`}>
                  {actor}/{key}
                </Link>
              </dd>
            </>
          )}
          {typeof workflow === "string" && workflow !== "" && (
            <>
              <dt>Workflow</dt>
              <dd>
                <code>{workflow}</code>
              </dd>
            </>
          )}
          {span.links.length > 0 && (
            <>
              <dt>In one batch with</dt>
              <dd>
                {span.links.slice(0, 8).map(({ traceId, spanId }) => (
                  <Link key={spanId} href={`/traces/${traceId}`} className="span-link">
                    {traceId.slice(0, 8)}
                  </Link>
                ))}
              </dd>
            </>
          )}
        </dl>
        <Json value={span.attributes} label="Attributes" />
      </div>
    </Section>
  );
}
