import { useEffect, useRef, useState } from "react";
import { useMetrics } from "./api.ts";
import { type Metrics, total } from "./metrics.ts";

const KEPT = 120;

/** What is watched: a counter as its rate a second, a gauge as it is. */
export interface Watched {
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly labels?: Readonly<Record<string, string>>;
}

/** The history of some metrics since the page was opened. */
export interface History {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  /** One list for each watched, as long as `times`. */
  readonly values: readonly (readonly number[])[];
}

/** Samples the metrics while the page is open. `watched` must not change. */
export function useHistory(
  watched: readonly Watched[],
  everyMs = 3_000,
): { readonly metrics: Metrics | undefined; readonly history: History } {
  const { data, dataUpdatedAt } = useMetrics(everyMs);
  const before = useRef<{ readonly at: number; readonly totals: readonly number[] }>(undefined);
  const [history, setHistory] = useState<History>({ times: [], values: watched.map(() => []) });
  useEffect(() => {
    if (data === undefined) return;
    const totals = watched.map(({ name, labels }) => total(data, name, labels));
    const last = before.current;
    before.current = { at: dataUpdatedAt, totals };
    if (last === undefined || dataUpdatedAt <= last.at) return;
    const seconds = (dataUpdatedAt - last.at) / 1_000;
    const now = watched.map(({ kind }, i) => {
      const value = totals[i] ?? 0;
      // A process that was started anew counts from 0.
      return kind === "gauge" ? value : Math.max(0, value - (last.totals[i] ?? 0)) / seconds;
    });
    setHistory(({ times, values }) => ({
      times: [...times, dataUpdatedAt / 1_000].slice(-KEPT),
      values: values.map((list, i) => [...list, now[i] ?? 0].slice(-KEPT)),
    }));
  }, [data, dataUpdatedAt, watched]);
  return { metrics: data, history };
}
