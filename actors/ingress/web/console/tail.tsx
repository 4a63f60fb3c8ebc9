import { useVirtualizer } from "@tanstack/react-virtual";
import { Pause, Play } from "lucide-react";
import { useDeferredValue, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { Chip } from "../kit/chip.tsx";
import { Empty, Failure } from "../kit/feedback.tsx";
import { compact, exact, plural } from "../kit/format.ts";
import { Json } from "../kit/json.tsx";
import { Section } from "../kit/page.tsx";
import { type Message, useTail } from "./use-tail.ts";

const ROW_HEIGHT = 30;

/** The newest messages at a broker as they come, found by any text, and one of them whole. */
export function TailSection({ broker }: { broker: string }) {
  const [stopped, setStopped] = useState(false);
  const [looking, setLooking] = useState(false);
  const [text, setText] = useState("");
  const [chosen, choose] = useState<Message>();
  const paused = stopped || looking;
  const { rows, held, perSecond, error } = useTail(broker, paused);
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const shown = useMemo(
    () => (wanted === "" ? rows : rows.filter((row) => JSON.stringify(row).toLowerCase().includes(wanted))),
    [rows, wanted],
  );
  const state = stopped ? "paused" : looking ? "paused while you look" : "following";
  return (
    <Section
      title={`What passes ${broker}`}
      tools={
        <>
          <input
            type="search"
            className="input filter"
            aria-label="Messages that hold"
            placeholder="Messages that hold…"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="button" className="button" aria-pressed={!stopped} onClick={() => setStopped(!stopped)}>
            {stopped ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
            {stopped ? "Follow" : "Pause"}
          </button>
        </>
      }
    >
      <p className="soft small tail-state" role="status">
        {wanted === "" ? plural(shown.length, "message") : `${shown.length} of ${plural(rows.length, "message")}`},{" "}
        {state}
        {held > 0 && `, ${held} more have come`}
        {perSecond !== null && ` · ${compact(Math.round(perSecond))} a second`}
      </p>
      {error !== undefined && <Failure error={error} />}
      <Rows rows={shown} chosen={chosen} choose={choose} look={setLooking} />
      {chosen !== undefined && <Whole message={chosen} close={() => choose(undefined)} />}
    </Section>
  );
}

interface RowsProps {
  readonly rows: readonly Message[];
  readonly chosen: Message | undefined;
  readonly choose: (message: Message) => void;
  /** Told whether somebody looks at the rows: then they stay where they are. */
  readonly look: (looking: boolean) => void;
}

function Rows({ rows, chosen, choose, look }: RowsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const looksOn = (): void => look((frame.current?.scrollTop ?? 0) > 0);
  return (
    <div
      ref={frame}
      className="tail"
      tabIndex={0}
      role="region"
      aria-label="Messages, the newest first"
      onMouseEnter={() => look(true)}
      onMouseLeave={looksOn}
      onFocus={() => look(true)}
      onBlur={looksOn}
      onScroll={() => (frame.current?.scrollTop ?? 0) > 0 && look(true)}
    >
      {rows.length === 0 && <Empty title="Nothing has passed yet">Place an order, or send a test event.</Empty>}
      <div className="tail-all" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <button
                key={`${row.place}/${row.position}`}
                type="button"
                className="tail-row"
                aria-pressed={row === chosen}
                style={{ transform: `translateY(${start}px)` }}
                onClick={() => choose(row)}
              >
                <span className="soft number">{row.at === null ? "–" : row.at.slice(11, 23)}</span>
                <strong className="clip">{row.type ?? "no type"}</strong>
                <span className="clip">{row.key ?? ""}</span>
                <span className="soft clip tail-place">
                  {row.place} {row.position}
                </span>
              </button>
            )
          );
        })}
      </div>
    </div>
  );
}

function Whole({ message, close }: { message: Message; close: () => void }) {
  const { place, position, key, type, id, at, traceId, headers, content, sizeBytes } = message;
  return (
    <section className="tail-whole stack" aria-label="The message">
      <div className="row">
        <h3 className="grow">{type ?? "Message"}</h3>
        {key !== null && (
          <Link className="button" href={`/search?${new URLSearchParams({ q: key }).toString()}`}>
            Everything about {key.length > 20 ? "its key" : key}
          </Link>
        )}
        {traceId !== null && (
          <Link className="button" href={`/traces/${traceId}`}>
            Its trace
          </Link>
        )}
        <button type="button" className="button" onClick={close}>
          Close
        </button>
      </div>
      <dl className="facts">
        <dt>Where</dt>
        <dd>
          <code>
            {place} {position}
          </code>
        </dd>
        {id !== null && (
          <>
            <dt>Id</dt>
            <dd>
              <Chip id={id} label="message id" />
            </dd>
          </>
        )}
        <dt>When</dt>
        <dd>{at === null ? "unknown" : exact(Date.parse(at))}</dd>
        <dt>Size</dt>
        <dd className="number">{plural(sizeBytes, "byte")}</dd>
      </dl>
      <div className="halves">
        <Json value={content} label="Content" />
        <Json value={headers} label="Headers" />
      </div>
    </section>
  );
}
