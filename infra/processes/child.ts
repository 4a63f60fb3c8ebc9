import { type ChildProcess, spawn } from "node:child_process";
import { EngineError } from "../engines/errors.ts";
import { markOf, type ProcessMark } from "../stack/process-mark.ts";

/** The user and group that processes run as where this process is root: nobody's. */
export const UNPRIVILEGED_USER = 65_532;

/** What {@link startChild} starts. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of it: nothing of this process's own environment is passed on. */
  readonly env: Readonly<Record<string, string>>;
}

/** A process, with all that it starts: they form a group, which ends with it. */
export interface Child {
  readonly pid: number;
  readonly mark: ProcessMark | undefined;
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** Its exit code; 128 and the signal's number where a signal ended it. */
  readonly ended: Promise<number>;
  /** Asks the process (SIGTERM), or ends its whole group (SIGKILL). */
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** @throws {EngineError} `refused`: there is no such program, or it may not be run. */
export async function startChild({ command, args, cwd, env }: ChildOptions): Promise<Child> {
  const root = process.getuid?.() === 0;
  const child = spawn(command, [...args], {
    cwd,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...(root ? { uid: UNPRIVILEGED_USER, gid: UNPRIVILEGED_USER } : {}),
  });
  const ended = endOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(new EngineError("refused", `Cannot run ${command}: ${error.message}`)));
  });
  const pid = child.pid ?? 0;
  const kill = (target: number, name: NodeJS.Signals): void => {
    try {
      process.kill(target, name);
    } catch {
      // It has ended.
    }
  };
  return {
    pid,
    mark: markOf(pid),
    stdout: child.stdout,
    stderr: child.stderr,
    ended: ended.finally(() => kill(-pid, "SIGKILL")),
    signal: (name) => kill(name === "SIGKILL" ? -pid : pid, name),
  };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + (SIGNALS[signal ?? ""] ?? 0)));
  });
}
