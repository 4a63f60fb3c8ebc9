/**
 * One server process. It leads a session of its own, so that Ctrl-C in the terminal reaches only us and we can stop servers in order;
 * it writes straight to its log file, so that it does not die of a broken pipe when its owner does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { lastLines } from "./command.ts";
import { markOf, type ProcessMark } from "./process-mark.ts";
import type { ProcessSpec } from "./recipe.ts";

/** Set in every server process, to the data folder of its stack: finds what a dead owner left. */
export const STACK_VARIABLE = "TROUPE_STACK";

/** A log larger than this is put aside when its server starts. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** A started process. */
export interface Child {
  readonly mark: ProcessMark;
  /** Resolves when the process has ended, with how: `exit code 1`, `ended by SIGKILL`. Never rejects. */
  readonly ended: Promise<string>;
  /** How it ended; undefined while it runs. */
  outcome(): string | undefined;
  /** The last lines it wrote since it was started. */
  tail(lines: number): string[];
  /** Sends the signal, waits, kills its whole group after `withinMs`. Resolves when it is gone; may be called again. */
  stop(signal: NodeJS.Signals, withinMs: number): Promise<void>;
}

/** Starts a process; rejects when the program cannot be run at all. */
export async function startChild(spec: ProcessSpec, logFile: string, dataDir: string): Promise<Child> {
  putAside(logFile);
  const log = openSync(logFile, "a");
  const from = statSync(logFile).size;
  const child = spawn(spec.command, [...spec.args], {
    env: { ...process.env, ...spec.env, [STACK_VARIABLE]: dataDir },
    stdio: ["ignore", log, log],
    detached: true,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  closeSync(log);
  let outcome: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) =>
      resolve((outcome = signal === null ? `exit code ${code}` : `ended by ${signal}`)),
    );
    child.once("error", (error) => resolve((outcome = error.message)));
  });
  const pid = await started(child);
  child.unref();
  return {
    // A process that ended at once has no start time any more; its pid alone must then match nothing.
    mark: markOf(pid) ?? { pid, startedAt: "ended" },
    ended,
    outcome: () => outcome,
    tail: (lines) =>
      existsSync(logFile) ? lastLines(readFileSync(logFile).subarray(from).toString("utf8"), lines) : [],
    stop: async (signal, withinMs) => {
      if (outcome === undefined) {
        child.kill(signal);
        await Promise.race([ended, delay(withinMs, undefined, { ref: false })]);
      }
      // Also when it ended by itself: helpers of its group must not outlive it.
      killGroup(pid);
      await ended;
    },
  };
}

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
    if (child.pid !== undefined) resolve(child.pid);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody left in it.
  }
}

function putAside(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
