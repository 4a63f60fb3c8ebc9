import { useEffect, useRef, useState } from "react";
import { ask } from "../kit/api.ts";

/** A message as it lies at a broker. */
export interface Message {
  readonly place: string;
  readonly position: string;
  readonly key: string | null;
  readonly type: string | null;
  readonly id: string | null;
  readonly at: string | null;
  readonly traceId: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: unknown;
  readonly sizeBytes: number;
}

interface Look {
  readonly items: readonly Message[];
  readonly after: string;
  readonly skipped: number | null;
}

/** What a tail shows. */
export interface Tail {
  /** The newest first, a bounded number. */
  readonly rows: readonly Message[];
  /** Messages that came while nothing was shown of them. */
  readonly held: number;
  /** Messages a second, as far as the broker tells. */
  readonly perSecond: number | null;
  readonly error: unknown;
}

const ROWS = 500;
const EVERY_MS = 1_000;
const AFTER_FAILURE_MS = 4_000;
const EMPTY: Tail = { rows: [], held: 0, perSecond: null, error: undefined };

/**
 * Follows a broker: one look a second, one drawing for each, so that what it costs does not grow with what passes. While it
 * is paused it goes on looking and holds back what it finds; while the page is hidden it does not look.
 */
export function useTail(broker: string, paused: boolean): Tail {
  const [tail, setTail] = useState(EMPTY);
  const pausing = useRef(paused);
  pausing.current = paused;
  const held = useRef<Message[]>([]);
  useEffect(() => {
    let after: string | undefined;
    let lookedAt = 0;
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    held.current = [];
    setTail(EMPTY);
    const look = async (): Promise<void> => {
      if (document.visibilityState === "hidden") return again(EVERY_MS);
      try {
        const query = new URLSearchParams({ limit: "50", ...(after !== undefined && { after }) }).toString();
        const page = await ask<Look>(`/brokers/${broker}/messages?${query}`);
        if (over) return;
        const since = performance.now() - lookedAt;
        const came = page.items.length + (page.skipped ?? 0);
        const perSecond = after === undefined || page.skipped === null ? null : (came / since) * 1_000;
        lookedAt = performance.now();
        after = page.after;
        held.current = [...page.items.toReversed(), ...held.current].slice(0, ROWS);
        requestAnimationFrame(() => {
          if (!over) setTail((shown) => shownNow(shown, held, pausing.current, perSecond));
        });
        again(EVERY_MS);
      } catch (error) {
        if (over) return;
        setTail((shown) => ({ ...shown, error }));
        again(AFTER_FAILURE_MS);
      }
    };
    const again = (ms: number): void => {
      timer = setTimeout(() => void look(), ms);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [broker]);
  useEffect(() => {
    if (!paused) setTail((shown) => shownNow(shown, held, false, shown.perSecond));
  }, [paused]);
  return tail;
}

function shownNow(shown: Tail, held: { current: Message[] }, paused: boolean, perSecond: number | null): Tail {
  if (paused) return { ...shown, perSecond, held: held.current.length, error: undefined };
  const fresh = held.current;
  held.current = [];
  // Unchanged rows are the same array: nothing of them is drawn again.
  const rows = fresh.length === 0 ? shown.rows : [...fresh, ...shown.rows].slice(0, ROWS);
  return { rows, held: 0, perSecond, error: undefined };
}
