import { useEffect, useRef, useState } from "react";
import { ask } from "../kit/api.ts";

/** A line that a container of a service wrote. */
export interface Line {
  readonly at: string;
  readonly containerId: string;
  readonly replica: number;
  readonly stream: string;
  readonly level: string;
  readonly text: string;
}

/** What is shown of a log. */
export interface Log {
  /** The oldest first, a bounded number; `undefined` until the first answer. */
  readonly lines: readonly Line[] | undefined;
  readonly error: unknown;
  /** Tries once more, at once. */
  readonly retry: () => void;
}

const LINES = 1_000;
const EVERY_MS = 1_000;
const AFTER_FAILURE_MS = 4_000;

/**
 * Follows the log of a service: once the newest lines, then a second apart those since. What it costs does not grow with
 * what there is; while the page is hidden it does not ask.
 * @param filter `grep` and `level`, as they stand in the query.
 */
export function useLogs(path: string, filter: string, following: boolean): Log {
  const [shown, setShown] = useState<{ readonly lines?: readonly Line[]; readonly error?: unknown }>({});
  const [round, setRound] = useState(0);
  const latest = useRef<readonly Line[]>(undefined);
  useEffect(() => {
    latest.current = undefined;
    setShown({});
  }, [path, filter]);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async (): Promise<void> => {
      const known = latest.current;
      try {
        if (document.visibilityState !== "hidden") {
          const query = new URLSearchParams(filter);
          query.set("limit", String(LINES));
          const since = known?.at(-1)?.at;
          if (since !== undefined) query.set("since", since);
          const { items } = await ask<{ readonly items: readonly Line[] }>(`${path}/logs?${query.toString()}`);
          if (over) return;
          const lines = merged(known ?? [], items);
          if (lines !== known) {
            latest.current = lines;
            requestAnimationFrame(() => !over && setShown({ lines }));
          } else setShown((before) => (before.error === undefined ? before : { lines }));
        }
        if (following) timer = setTimeout(() => void look(), EVERY_MS);
      } catch (error) {
        if (over) return;
        setShown((before) => ({ ...before, error }));
        timer = setTimeout(() => void look(), AFTER_FAILURE_MS);
      }
    };
    if (following || latest.current === undefined) void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [path, filter, following, round]);
  return { lines: shown.lines, error: shown.error, retry: () => setRound((n) => n + 1) };
}

/** Those known and what is new behind them; the same list where nothing is. Lines of one moment come again. */
function merged(known: readonly Line[], items: readonly Line[]): readonly Line[] {
  const since = known.at(-1)?.at ?? "";
  const seen = new Set(known.filter(({ at }) => at >= since).map(idOf));
  const fresh = items.filter((line) => line.at >= since && !seen.has(idOf(line)));
  if (fresh.length === 0 && known.length > 0) return known;
  return [...known, ...fresh].slice(-LINES);
}

function idOf({ at, containerId, text }: Line): string {
  return `${at} ${containerId} ${text}`;
}
