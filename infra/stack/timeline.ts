/** Where the time of a start went: each server with its steps, from the events of the stack. */
import { RECIPES } from "./recipes.ts";
import type { ServerName, ServerState, StackEvent } from "./types.ts";

/** One thing a server did before it was there. */
export interface Step {
  readonly name: "waiting" | "obtaining" | "starting";
  readonly ms: number;
}

/** One server's way up. */
export interface Way {
  readonly server: ServerName;
  /** From its first event to the one that it runs or is missing. */
  readonly ms: number;
  /** In the order they were first done; a step that was done twice is one, with the sum. */
  readonly steps: readonly Step[];
}

const WORDS: Readonly<Record<Step["name"], string>> = {
  waiting: "waiting",
  obtaining: "bringing",
  starting: "starting",
};

interface Open {
  readonly since: number;
  state: ServerState;
  stateSince: number;
  readonly steps: Map<Step["name"], number>;
  ms: number | undefined;
}

/** Notes when each server changed its state. `now` is in milliseconds. */
export class Timeline {
  readonly #now: () => number;
  readonly #servers = new Map<ServerName, Open>();

  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  /** Takes an event. Those after a server first ran or was found missing change nothing. */
  readonly note = ({ server, state }: StackEvent): void => {
    const at = this.#now();
    const open = this.#servers.get(server) ?? { since: at, state, stateSince: at, steps: new Map(), ms: undefined };
    this.#servers.set(server, open);
    if (open.ms !== undefined) return;
    const step = stepOf(open.state);
    if (step !== undefined) open.steps.set(step, (open.steps.get(step) ?? 0) + at - open.stateSince);
    open.state = state;
    open.stateSince = at;
    if (state.kind === "running" || state.kind === "missing") open.ms = at - open.since;
  };

  /** The servers that came or are known to be missing, the slowest first. */
  ways(): Way[] {
    return [...this.#servers]
      .flatMap(([server, { ms, steps }]) =>
        ms === undefined ? [] : [{ server, ms, steps: [...steps].map(([name, took]) => ({ name, ms: took })) }],
      )
      .toSorted((one, other) => other.ms - one.ms);
  }
}

function stepOf(state: ServerState): Step["name"] | undefined {
  switch (state.kind) {
    case "waiting":
    case "obtaining":
    case "starting":
      return state.kind;
    default:
      return undefined;
  }
}

/** A part of the whole, as it is printed: its name, and what it took. */
export interface Part {
  readonly name: string;
  readonly ms: number;
}

/**
 * The lines that a start ends with: its parts one after the other, and below `servers` the slowest of them with their steps, since they
 * ran side by side. Steps below half a second are left out.
 */
export function whereTheTimeWent(parts: readonly Part[], ways: readonly Way[]): string[] {
  const rows = parts.flatMap((part): [string, string, string][] => [
    [part.name, seconds(part.ms), ""],
    ...(part.name === "servers"
      ? ways.map((way): [string, string, string] => [`  ${RECIPES[way.server].title}`, seconds(way.ms), stepsOf(way)])
      : []),
  ]);
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return [
    "where the time went",
    ...rows.map(([name, time, note]) => `  ${name.padEnd(width)}  ${time.padStart(7)}  ${note}`.trimEnd()),
  ];
}

function stepsOf({ steps }: Way): string {
  return steps
    .filter((step) => step.ms >= 500)
    .map((step) => `${WORDS[step.name]} ${seconds(step.ms)}`)
    .join(", ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
