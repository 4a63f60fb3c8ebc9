/**
 * Keeps one app process running: starts it, passes its log on, starts it again when it dies.
 *
 * `down` → `up` → (`waiting` → `up`)* → `stopping` → `stopped`. Only `stop()` ends it for good.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { markOf, type ProcessMark } from "#infra/stack/process-mark.ts";
import { readableLine } from "./log-line.ts";

/** Pauses before the first, second, … start after a death; the last one repeats. */
const PAUSES_MS = [0, 500, 1_000, 2_000, 5_000, 10_000];
/** After this long a process counts as healthy, and the next death as the first. */
const HEALTHY_MS = 30_000;
const DRAIN_MS = 10_000;

/** What to run, and whom to tell. */
export interface AppSpec {
  /** For people: `app` or `app-2`. */
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly say: (line: string) => void;
  /** A process was started or is gone. */
  readonly changed: () => void;
}

/** One app process and its successors. */
export class AppProcess {
  readonly #spec: AppSpec;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #mark: ProcessMark | undefined;
  #ended: Promise<void> = Promise.resolve();
  #deaths = 0;
  readonly #stop = new AbortController();

  constructor(spec: AppSpec) {
    this.#spec = spec;
    this.#log = createWriteStream(spec.logFile, { flags: "a" });
  }

  /** The process that runs now; undefined between two of them. */
  get mark(): ProcessMark | undefined {
    return this.#mark;
  }

  /** Starts the process. It is kept running from then on. */
  start(): void {
    const { name, script, env, say, changed } = this.#spec;
    const startedAt = performance.now();
    // A session of its own: Ctrl-C reaches only us, and we let the app drain before the servers go.
    const child = spawn(process.execPath, [script], {
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    this.#mark = child.pid === undefined ? undefined : markOf(child.pid);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => this.#pass(line));
    this.#ended = new Promise((resolve) => {
      // Not with `exit`: its last words may still be on their way.
      child.once("close", () => resolve());
      child.once("error", (error) => {
        say(`${name} cannot be started: ${error.message}`);
        resolve();
      });
      child.once("exit", (code, signal) => {
        this.#mark = undefined;
        changed();
        if (!this.#stop.signal.aborted)
          void this.#again(signal === null ? `exit code ${code}` : signal, performance.now() - startedAt);
      });
    });
    changed();
  }

  /** Asks the process to drain, waits up to 10 s, then kills it. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const child = this.#child;
    if (child !== undefined && this.#mark !== undefined) {
      child.kill("SIGTERM");
      const late = new AbortController();
      await Promise.race([this.#ended, delay(DRAIN_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
      if (this.#mark !== undefined) {
        this.#spec.say(`${this.#spec.name} did not end within ${DRAIN_MS / 1000} s and is killed`);
        child.kill("SIGKILL");
      }
      // Whoever inherited its output and lives on is not waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
      await this.#ended;
    }
    this.#log.end();
  }

  async #again(outcome: string, livedMs: number): Promise<void> {
    if (livedMs >= HEALTHY_MS) this.#deaths = 0;
    const pause = PAUSES_MS[Math.min(this.#deaths, PAUSES_MS.length - 1)] ?? 0;
    this.#deaths++;
    this.#spec.say(
      `${this.#spec.name} ended (${outcome}), starting it again${pause === 0 ? "" : ` in ${pause / 1000} s`}`,
    );
    try {
      await delay(pause, undefined, { signal: this.#stop.signal });
    } catch {
      return; // Stopped meanwhile.
    }
    if (!this.#stop.signal.aborted) this.start();
  }

  #pass(line: string): void {
    this.#log.write(`${line}\n`);
    const text = readableLine(line);
    if (text !== undefined && text !== "") this.#spec.say(`${this.#spec.name}  ${text}`);
  }
}
