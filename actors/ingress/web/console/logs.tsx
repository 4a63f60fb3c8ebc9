import { useVirtualizer } from "@tanstack/react-virtual";
import { Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { Empty, Failure } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { Section } from "../kit/page.tsx";
import { useLogs } from "./use-logs.ts";

const LINE_HEIGHT = 20;

/** What the containers of a service write, over their generations, followed unless one scrolls back. The filter is in the address. */
export function Logs({ path }: { path: string }) {
  const [search, setSearch] = useSearchParams();
  const grep = search.get("grep") ?? "";
  const level = search.get("level") ?? "";
  const change = (name: "grep" | "level", value: string): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === "") next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const [following, setFollowing] = useState(true);
  const frame = useRef<HTMLDivElement>(null);
  const filter = new URLSearchParams({ ...(grep !== "" && { grep }), ...(level !== "" && { level }) }).toString();
  const { lines: known, error, retry } = useLogs(path, filter, following);
  const lines = known ?? [];
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => frame.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
  });
  const last = lines.at(-1)?.at;
  useEffect(() => {
    if (following && lines.length > 0) rows.scrollToIndex(lines.length - 1);
  }, [following, last, lines.length, rows]);
  return (
    <Section
      title="Logs"
      tools={
        <>
          <input
            type="search"
            className="input filter"
            aria-label="Lines that hold"
            placeholder="Lines that hold…"
            value={grep}
            onChange={(event) => change("grep", event.target.value)}
          />
          <select
            className="select filter"
            aria-label="Level"
            value={level}
            onChange={(event) => change("level", event.target.value)}
          >
            <option value="">Every level</option>
            {["debug", "info", "warn", "error"].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
          <button type="button" className="button" aria-pressed={following} onClick={() => setFollowing(!following)}>
            {following ? <Pause size={14} aria-hidden="true" /> : <Play size={14} aria-hidden="true" />}
            {following ? "Pause" : "Follow"}
          </button>
        </>
      }
    >
      {error !== undefined ? (
        <Failure error={error} retry={retry} />
      ) : (
        <>
          <p className="soft small" role="status">
            {plural(lines.length, "line")}
            {following ? ", following" : ", paused"}
          </p>
          <div
            ref={frame}
            className="logs"
            tabIndex={0}
            role="region"
            aria-label="Log lines"
            onWheel={(event) => event.deltaY < 0 && setFollowing(false)}
          >
            {known?.length === 0 && (
              <Empty title={filter === "" ? "Nothing was written yet" : "No line fits"}>
                What its containers write to their output stands here, over all their generations.
              </Empty>
            )}
            <div className="logs-all" style={{ height: rows.getTotalSize() }}>
              {rows.getVirtualItems().map(({ index, start }) => {
                const line = lines[index];
                return (
                  line && (
                    <div
                      key={index}
                      className="log-line"
                      data-level={line.level}
                      style={{ transform: `translateY(${start}px)` }}
                    >
                      <span className="soft">{line.at.slice(11, 23)}</span>
                      <span className="soft">{line.replica}</span>
                      <span className="log-level">{line.level}</span>
                      <span className="log-text" title={line.text}>
                        {line.text}
                      </span>
                    </div>
                  )
                );
              })}
            </div>
          </div>
        </>
      )}
    </Section>
  );
}
