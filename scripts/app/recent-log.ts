import type { LoggedLine, RecentLines } from "#actors/ingress/search/process-log.ts";

const LINES = 2_000;
const LETTERS = 4_096;

/**
 * Writes log lines to standard output, and keeps the last of them in memory, to be searched: 2,000 lines, and of each its
 * first 4,096 letters.
 */
export class RecentLog implements RecentLines {
  readonly #out: (line: string) => void;
  readonly #lines: string[] = [];
  #next = 0;

  /** @param out where lines go. @default standard output */
  constructor(out: (line: string) => void = (line) => void process.stdout.write(line)) {
    this.#out = out;
  }

  /** Takes a line of `jsonLog`, with its line break. */
  write(line: string): void {
    this.#out(line);
    this.#lines[this.#next] = line.slice(0, LETTERS);
    this.#next = (this.#next + 1) % LINES;
  }

  find(text: string, limit: number): readonly LoggedLine[] {
    const found: LoggedLine[] = [];
    for (let back = 1; back <= this.#lines.length && found.length < limit; back++) {
      const line = this.#lines[(this.#next - back + LINES) % LINES] ?? "";
      if (line.includes(text)) found.push(read(line));
    }
    return found;
  }
}

/** The head that every line has, also one that was cut. */
const HEAD = /^\{"time":"([^"]*)","level":"([^"]*)","event":"([^"]*)"/;

function read(line: string): LoggedLine {
  const [, at = "", level = "", event = ""] = HEAD.exec(line) ?? [];
  return { at, level, event, text: line.trimEnd() };
}
