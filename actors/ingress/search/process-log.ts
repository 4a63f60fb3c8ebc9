import type { Finder } from "./find.ts";
import { type Hit, hit, HITS_OF_A_KIND } from "./hit.ts";

/** A line that this process has logged. */
export interface LoggedLine {
  /** RFC 3339. */
  readonly at: string;
  readonly level: string;
  /** As in `turn:failed`. */
  readonly event: string;
  /** The whole line, as it was written. */
  readonly text: string;
}

/** The last lines that this process has logged. */
export interface RecentLines {
  /** The newest that hold a text, newest first. */
  find(text: string, limit: number): readonly LoggedLine[];
}

/** Shorter texts are in nearly every line. */
const LETTERS = 4;

/** Finds lines that the asked process has logged, as far as it still has them. */
export function processLogFinder(lines: RecentLines): Finder {
  return {
    kinds: ["log"],
    scope: "admin",
    find({ text, orderIds }) {
      const wanted = orderIds[0] ?? text;
      return wanted.length < LETTERS ? [] : lines.find(wanted, HITS_OF_A_KIND).map((line) => lineHit(wanted, line));
    },
  };
}

function lineHit(wanted: string, { at, level, event, text }: LoggedLine): Hit {
  return hit({
    ...{ kind: "log", id: `process/${at}/${event}`, title: event, at, status: level, detail: text.slice(0, 500) },
    failed: level === "error",
    page: `/console/search?${new URLSearchParams({ q: wanted }).toString()}`,
  });
}
