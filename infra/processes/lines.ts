import type { LogLine } from "../engines/container.ts";
import type { LogOptions } from "../engines/engine.ts";

const MAX_LINE = 16 * 1024;
const MAX_LINES = 10_000;

/**
 * What a process has written: the newest 10,000 lines, each with the time it came in at. No two lines have the same
 * time, so that a reader who knows the last one goes on behind it.
 */
export class Lines {
  readonly #kept: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  #dropped = 0;
  #last = 0n;
  #ended = false;

  /** Takes what a stream of the process writes, until it ends. */
  async take(stream: "stdout" | "stderr", source: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let open = "";
    for await (const chunk of source) {
      const [...whole] = (open + decoder.decode(chunk, { stream: true })).split("\n");
      open = (whole.pop() ?? "").slice(0, MAX_LINE);
      for (const text of whole) this.#add(stream, text);
    }
    if (open !== "") this.#add(stream, open);
  }

  /** It runs again: those who follow wait for more. */
  begin(): void {
    this.#ended = false;
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *read({ since, tail, follow = false, signal }: LogOptions): AsyncGenerator<LogLine> {
    const from = since === undefined ? undefined : Date.parse(since);
    let at = this.#dropped + (tail === undefined ? 0 : Math.max(0, this.#kept.length - tail));
    for (;;) {
      at = Math.max(at, this.#dropped);
      const line = this.#kept[at - this.#dropped];
      if (line !== undefined) {
        at++;
        if (from === undefined || Date.parse(line.at) >= from) yield line;
      } else if (!follow || this.#ended || signal?.aborted) return;
      else await this.#next(signal);
    }
  }

  #add(stream: "stdout" | "stderr", text: string): void {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    const nanos = String(this.#last % 1_000_000_000n).padStart(9, "0");
    const at = `${new Date(Number(this.#last / 1_000_000n)).toISOString().slice(0, 19)}.${nanos}Z`;
    this.#kept.push({ at, stream, text: text.slice(0, MAX_LINE) });
    if (this.#kept.length > MAX_LINES) {
      this.#kept.shift();
      this.#dropped++;
    }
    this.#wake();
  }

  async #next(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
