import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { ask } from "../kit/api.ts";
import { Empty, Failure } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { Section } from "../kit/page.tsx";

interface Line {
  readonly at: string;
  readonly containerId: string;
  readonly replica: number;
  readonly stream: string;
  readonly level: string;
  readonly text: string;
}

const LINE_HEIGHT = 20;
const LINES = 1_000;

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
  const query = new URLSearchParams({
    limit: String(LINES),
    ...(grep !== "" && { grep }),
    ...(level !== "" && { level }),
  }).toString();
  const logs = useQuery({
    queryKey: [`${path}/logs`, query],
    queryFn: () => ask<{ readonly items: readonly Line[] }>(`${path}/logs?${query}`),
    refetchInterval: following ? 2_000 : false,
    placeholderData: keepPreviousData,
  });
  const lines = logs.data?.items ?? [];
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
      {logs.isError ? (
        <Failure error={logs.error} retry={() => void logs.refetch()} />
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
            {logs.isSuccess && lines.length === 0 && (
              <Empty
                title={query.includes("grep=") || query.includes("level=") ? "No line fits" : "Nothing was written yet"}
              >
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
