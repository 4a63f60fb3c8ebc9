/** Shows the start of the servers: a tree that redraws itself on a terminal, sparse lines elsewhere. */
import { RECIPES } from "./recipes.ts";
import { EVERY_SERVER, type Reporter, type ServerName, type ServerState, type StackEvent } from "./types.ts";

/** A step that takes longer than this gets a line of its own where nothing can be redrawn. */
const SLOW_MS = 2_000;
/** How often the longest wait is said again there. */
const AGAIN_MS = 10_000;
const FRAME_MS = 100;
/** For a terminal that does not know its own width. */
const USUAL_COLUMNS = 100;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** A reporter with an end. */
export interface Display {
  readonly report: Reporter;
  /** Draws the last state and hands the terminal back. Events that come later are shown as lines. */
  close(): void;
}

interface Row {
  state: ServerState;
  /** When it began, and when the current step of it did. */
  readonly since: number;
  stepSince: number;
  /** Ends the wait for the step to become slow. */
  timer?: NodeJS.Timeout;
}

/** The display that suits `out`. `now` is in milliseconds. */
export function display(
  out: NodeJS.WriteStream = process.stdout,
  now: () => number = performance.now.bind(performance),
): Display {
  return out.isTTY ? tree(out, now) : lines((text) => void out.write(`${text}\n`), now);
}

/**
 * One line when a step has taken two seconds, one when a server is up or missing, and every ten seconds one that says what takes longest.
 * `again` calls it every ten seconds and answers how to end that.
 */
export function lines(
  write: (line: string) => void,
  now: () => number = performance.now.bind(performance),
  again: (tick: () => void) => () => void = everyTenSeconds,
): Display {
  const rows = new Map<ServerName, Row>();
  const end = again(() => {
    const waiting = [...rows].filter(([, row]) => isUnderWay(row.state)).toSorted(([, a], [, b]) => a.since - b.since);
    const [first, ...others] = waiting;
    if (first === undefined) return;
    const [server, row] = first;
    const more = others.length === 0 ? "" : `; also ${others.map(([name]) => title(name)).join(", ")}`;
    write(`… waiting for ${title(server)}: ${describe(row.state)}, ${seconds(now() - row.stepSince)}${more}`);
  });
  const report = ({ server, state }: StackEvent): void => {
    const step = rows.get(server)?.state;
    const row = rowOf(rows, server, state, now());
    if (step !== undefined && isSameStep(step, state)) return;
    clearTimeout(row.timer);
    if (state.kind === "running" || state.kind === "missing") {
      for (const line of final(server, state, seconds(now() - row.since))) write(line);
    } else if (state.kind === "restarting") {
      write(`${title(server)} ended (${state.reason}), starting it again`);
    } else if (state.kind === "obtaining" || state.kind === "waiting" || state.kind === "starting") {
      row.timer = setTimeout(() => write(`… ${title(server)}: ${describe(row.state)}`), SLOW_MS);
      row.timer.unref();
    }
  };
  return {
    report,
    close: () => {
      end();
      for (const row of rows.values()) clearTimeout(row.timer);
    },
  };
}

function everyTenSeconds(tick: () => void): () => void {
  const timer = setInterval(tick, AGAIN_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whether the server is not there yet, and may still come. */
function isUnderWay(state: ServerState): boolean {
  return ["pending", "waiting", "obtaining", "starting"].includes(state.kind);
}

/** Whether the second only says how far the first is. */
function isSameStep(first: ServerState, second: ServerState): boolean {
  return first.kind === "obtaining" && second.kind === "obtaining" && first.what === second.what;
}

/** The live tree. */
function tree(out: NodeJS.WriteStream, now: () => number): Display {
  const rows = new Map<ServerName, Row>();
  const after = lines((text) => void out.write(`${text}\n`), now);
  let drawn = 0;
  let frame = 0;
  let open = true;
  const draw = (): void => {
    frame++;
    const text = inOrder(rows).map(([server, row]) =>
      rowText(server, row, now(), SPINNER[frame % SPINNER.length] ?? "·", out.columns || USUAL_COLUMNS),
    );
    out.write(`${drawn === 0 ? "" : `\u001b[${drawn}A`}${text.map((line) => `\u001b[2K${line}\n`).join("")}`);
    drawn = text.length;
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  return {
    report: (event) => {
      if (open) rowOf(rows, event.server, event.state, now());
      else after.report(event);
    },
    close: () => {
      if (!open) return;
      open = false;
      clearInterval(timer);
      draw();
      for (const [server, row] of inOrder(rows)) {
        if (row.state.kind === "missing") for (const line of final(server, row.state, "")) out.write(`${line}\n`);
      }
    },
  };
}

function rowOf(rows: Map<ServerName, Row>, server: ServerName, state: ServerState, at: number): Row {
  const row = rows.get(server) ?? { state, since: at, stepSince: at };
  // A server that comes back counts from its fall.
  const next = state.kind === "restarting" && row.state.kind === "running" ? { ...row, since: at } : row;
  if (!isSameStep(next.state, state)) next.stepSince = at;
  next.state = state;
  rows.set(server, next);
  return next;
}

/** A fixed order, whichever server spoke first. */
function inOrder(rows: ReadonlyMap<ServerName, Row>): [ServerName, Row][] {
  return EVERY_SERVER.flatMap((server): [ServerName, Row][] => {
    const row = rows.get(server);
    return row === undefined ? [] : [[server, row]];
  });
}

function rowText(server: ServerName, row: Row, at: number, spinner: string, columns: number): string {
  const { state } = row;
  const done = state.kind === "running" || state.kind === "missing" || state.kind === "stopped";
  const mark = state.kind === "running" ? "✓" : state.kind === "missing" ? "✗" : done ? "·" : spinner;
  const time = done ? "" : `  ${seconds(at - row.stepSince)}`;
  const text = `  ${mark} ${title(server).padEnd(11)} ${describe(state)}${time}`;
  return text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text;
}

/** What a server's last line says: its address, or why it is missing with the last lines of its log. */
function final(server: ServerName, state: ServerState & { kind: "running" | "missing" }, time: string): string[] {
  if (state.kind === "running") return [`✓ ${title(server).padEnd(11)} ${describe(state)}  ${time}`];
  return [
    `✗ ${title(server).padEnd(11)} ${state.reason}`,
    ...state.log.map((line) => `    | ${line}`),
    `    fix: ${state.fix}`,
  ];
}

function describe(state: ServerState): string {
  switch (state.kind) {
    case "pending":
      return "pending";
    case "waiting":
      return `waiting: ${state.reason}`;
    case "obtaining":
      return state.progress === undefined ? state.what : `${state.what}: ${state.progress}`;
    case "starting":
      return state.how === "native" ? "starting" : state.how === "compose" ? "starting its container" : "checking";
    case "running":
      return `${state.address}${state.how === "native" ? "" : ` (${state.how})`}`;
    case "restarting":
      return `starting again after ${state.reason}`;
    case "missing":
      return state.reason.split("\n")[0] ?? "";
    case "stopping":
      return "stopping";
    case "stopped":
      return "stopped";
  }
}

function title(server: ServerName): string {
  return RECIPES[server].title;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
