/** Runs commands to their end: installers, builds, version checks. */
import { spawn } from "node:child_process";
import { accessSync, appendFileSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** How a command runs. */
export interface CommandOptions {
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The output is appended to this file. */
  readonly logFile?: string;
  /** The command is killed after this long; without it, it may take forever. */
  readonly withinMs?: number;
  /** When it resolves, the command is asked to end (SIGTERM); how it then ends counts as success, unless it had to be killed. */
  readonly endWhen?: Promise<unknown>;
  /** When it is aborted, the command is killed with all its children, and the reason is thrown. */
  readonly signal?: AbortSignal;
}

/** A command that did not end with exit code 0; the message holds the last lines it wrote. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code = "command_failed";
  readonly output: string;
  /** Whether it was killed, by its time limit or by somebody else. */
  readonly killed: boolean;

  constructor(command: string, outcome: string, output: string, killed = false) {
    const tail = lastLines(output, 8).join("\n");
    super(`Cannot finish "${command}": ${outcome}${tail === "" ? "" : `\n${tail}`}`);
    this.output = output;
    this.killed = killed;
  }
}

/** Runs the command and answers what it wrote (both streams); throws {@link CommandError} when it fails or cannot be started. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
  return new Promise((resolve, reject) => {
    const line = [command, ...args].join(" ");
    const child = spawn(command, [...args], {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      // Of its own group: Ctrl-C must not tear an installation in two before we decide what to do.
      detached: true,
    });
    const chunks: Buffer[] = [];
    const collect = (chunk: Buffer): void => {
      chunks.push(chunk);
      if (options.logFile !== undefined) appendFileSync(options.logFile, chunk);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    const endOnExit = (): void => void (child.pid !== undefined && killGroup(child.pid));
    process.once("exit", endOnExit);
    const timer = options.withinMs === undefined ? undefined : setTimeout(endOnExit, options.withinMs);
    let asked = false;
    void options.endWhen?.then(() => {
      asked = true;
      child.kill("SIGTERM");
    });
    options.signal?.addEventListener("abort", endOnExit, { once: true });
    const settle = (): string => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", endOnExit);
      process.removeListener("exit", endOnExit);
      return Buffer.concat(chunks).toString("utf8");
    };
    child.once("error", (error) => reject(new CommandError(line, error.message, settle())));
    child.once("close", (code, signal) => {
      const output = settle();
      if (options.signal?.aborted === true) reject(options.signal.reason as Error);
      else if (code === 0 || (asked && signal !== "SIGKILL")) resolve(output);
      else if (signal === null) reject(new CommandError(line, `exit code ${code}`, output));
      else reject(new CommandError(line, `ended by ${signal}`, output, true));
    });
  });
}

/** The full path of a program, looked up on the PATH and then in `more` folders; undefined when it is nowhere. */
export function which(program: string, more: readonly string[] = []): string | undefined {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), ...more]) {
    if (folder === "") continue;
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** The last `count` lines that hold something. */
export function lastLines(text: string, count: number): string[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count);
}

/** Whether `version` (`2.12.1`) is at least `wanted` (`2.12`), compared number by number. */
export function isAtLeast(version: string, wanted: string): boolean {
  const have = version.split(".").map(Number);
  for (const [index, number] of wanted.split(".").map(Number).entries()) {
    const mine = have[index] ?? 0;
    if (mine !== number) return mine > number;
  }
  return true;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
