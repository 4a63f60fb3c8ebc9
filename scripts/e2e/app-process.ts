import type { Subprocess } from "bun";
import { eventually } from "#infra/testing/eventually.ts";

const SCRIPT = Bun.fileURLToPath(new URL("../app.ts", import.meta.url));
const STARTS_WITHIN_MS = 60_000;
const ASKED_WITHIN_MS = 35_000;
const LINES_KEPT = 200;

/** An answer of the app, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; the text where it is none. */
  readonly body: unknown;
}

/** One app process, as its users see it: over HTTP, and by its signals. */
export class AppProcess implements AsyncDisposable {
  readonly #process: Subprocess<"ignore", "pipe", "pipe">;
  readonly #lines: string[] = [];
  readonly #read: Promise<unknown>;
  readonly #onLine: (line: string) => void;
  #address: string | undefined;
  #killed = false;

  /**
   * Starts `scripts/app.ts` on a free port with exactly this environment, and the PATH.
   * @param onLine is told every line that it writes.
   * @param script of another tree. @default this tree's own
   */
  constructor(
    environment: Readonly<Record<string, string>>,
    onLine: (line: string) => void = () => undefined,
    script: string = SCRIPT,
  ) {
    this.#onLine = onLine;
    this.#process = Bun.spawn([process.execPath, script], {
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", PORT: "0", ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#read = Promise.all([this.#follow(this.#process.stdout), this.#follow(this.#process.stderr)]);
  }

  /** Resolves when the process has ended, however. */
  get exited(): Promise<unknown> {
    return this.#process.exited;
  }

  /**
   * `http://127.0.0.1:port`, once it listens.
   * @throws {Error} the app has ended: its port may be another's by now, which would be sent what was meant for it.
   */
  async listening(): Promise<string> {
    return eventually("the app listens", STARTS_WITHIN_MS, async () => this.#mustRun() ?? this.#address);
  }

  /** Resolves when `/ready` says so. */
  async ready(): Promise<this> {
    await this.listening();
    let last: unknown;
    try {
      await eventually("the app is ready", STARTS_WITHIN_MS, async () => {
        const { status, body } = await this.get("/ready").catch((error: unknown) => ({
          status: 0,
          body: String(error),
        }));
        last = body;
        return status === 200 || this.#mustRun();
      });
    } catch (error) {
      throw new Error(`${String(error)}\nlast answer: ${JSON.stringify(last)}\n${this.log()}`, { cause: error });
    }
    return this;
  }

  get(path: string): Promise<Answer> {
    return this.send("GET", path);
  }

  /** Posts JSON. */
  post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    if (body === undefined) return this.send("POST", path, undefined, headers);
    return this.send("POST", path, JSON.stringify(body), { "content-type": "application/json", ...headers });
  }

  async send(
    method: string,
    path: string,
    body?: BodyInit,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const signal = AbortSignal.timeout(ASKED_WITHIN_MS);
    const response = await fetch((await this.listening()) + path, {
      method,
      headers,
      signal,
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  /** SIGKILL: what a power cut leaves. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  /** SIGSTOP: the process stands still and knows nothing of it. */
  pause(): void {
    this.#process.kill("SIGSTOP");
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  /** SIGTERM. Resolves with the exit code. */
  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    return this.#process.exited;
  }

  /** The last lines it wrote, for failure messages and to look for what must not be there. */
  log(): string {
    return this.#lines.join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGCONT");
      await this.kill();
    }
    await this.#read;
  }

  #mustRun(): undefined {
    const { exitCode, signalCode } = this.#process;
    if (this.#killed || exitCode !== null || signalCode !== null)
      throw new Error(`The app ended with ${exitCode ?? signalCode ?? "SIGKILL"}:\n${this.log()}`);
    return undefined;
  }

  async #follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#see(line);
    }
  }

  #see(line: string): void {
    this.#lines.push(line);
    this.#onLine(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    if (line.includes('"app:listening"')) this.#address = (JSON.parse(line) as { address: string }).address;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
