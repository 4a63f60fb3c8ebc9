/**
 * Role: keeps what containers write, by service, so that it is there when the container is gone. One file per service,
 * and the one before: what is older is forgotten.
 *
 * L1 Bounded: a service keeps at most two files of `maxBytes`, and each reader a bounded queue.
 * L2 A line is kept once: after a restart a container is followed from its last kept line on.
 * L3 The newest lines are read from the end: that costs what is asked for, and not what is kept.
 */
import { appendFile, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRecord, LogLine } from "./container.ts";
import type { Engine } from "./engine.ts";

/** A line with whose it is. */
export interface BookLine extends LogLine {
  readonly containerId: string;
  readonly replica: number;
  readonly revision: string;
  readonly level: Level;
}

export type Level = "debug" | "info" | "warn" | "error";

/** What is read of a service's log. */
export interface BookRequest {
  readonly since?: string;
  /** At most so many of the newest that are kept; none of it bounds what is followed. Default: all. */
  readonly tail?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

type Listener = (line: BookLine) => void;

const FLUSH_MS = 100;
const MAX_QUEUE = 10_000;
const AGAIN_MS = 1_000;
/** Bytes read at once, from the end of a file. */
const CHUNK = 131_072;
/** Lines of several containers may be written in another order than that of their times, by so much at most. */
const DISORDER_MS = 10_000;

export class LogBook {
  readonly #engine: Pick<Engine, "events" | "list" | "logs">;
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #stopping = new AbortController();
  readonly #following = new Map<string, Promise<void>>();
  readonly #last = new Map<string, string>();
  readonly #pending = new Map<string, BookLine[]>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #work: Promise<void>;
  #flushing: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Pick<Engine, "events" | "list" | "logs">, directory: string, maxBytes = 5 * 1024 * 1024) {
    this.#engine = engine;
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#work = this.#watch();
  }

  /** The lines of a service, oldest first; with `follow` then each new one until `signal` is aborted. */
  async *read(service: string, { since, tail, follow, signal }: BookRequest): AsyncGenerator<BookLine> {
    const queue: BookLine[] = [];
    let wake = (): void => undefined;
    const listener: Listener = (line) => {
      if (queue.length < MAX_QUEUE) queue.push(line);
      wake();
    };
    const listeners = this.#listeners.get(service) ?? new Set();
    if (follow) this.#listeners.set(service, listeners.add(listener));
    const ended = (): void => wake();
    signal.addEventListener("abort", ended, { once: true });
    try {
      await this.flush();
      const seen = new Set<string>();
      for (const line of await this.#newest(service, since, tail)) {
        if (follow) seen.add(`${line.containerId} ${line.at}`);
        yield line;
      }
      while (follow && !signal.aborted) {
        const line = queue.shift();
        if (line === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (!seen.has(`${line.containerId} ${line.at}`)) yield line;
        else seen.delete(`${line.containerId} ${line.at}`);
      }
    } finally {
      signal.removeEventListener("abort", ended);
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(service);
    }
  }

  /** Writes down what has come in. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(() => this.#write()).catch(() => undefined);
    await this.#flushing;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
    await Promise.all(this.#following.values());
    await this.flush();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    for await (const event of this.#engine.events(signal)) {
      if (event.kind === "resync") await this.#followAll().catch(() => undefined);
      else if (event.kind === "container" && event.action === "start")
        await this.#followAll(event.identity.service).catch(() => undefined);
    }
  }

  async #followAll(service?: string): Promise<void> {
    for (const record of await this.#engine.list(service)) {
      if (this.#following.has(record.id) || record.state === "created") continue;
      const following = this.#follow(record).finally(() => this.#following.delete(record.id));
      this.#following.set(record.id, following);
    }
  }

  async #follow(record: ContainerRecord): Promise<void> {
    const { id, service, replica, revision } = record;
    const { signal } = this.#stopping;
    await this.#recall(service);
    const known = this.#last.get(id);
    try {
      const options = { follow: true, signal, ...(known === undefined ? {} : { since: known }) };
      for await (const { at, stream, text } of this.#engine.logs(id, options)) {
        const last = this.#last.get(id);
        if (last !== undefined && at <= last) continue; // LogBook.L2
        this.#last.set(id, at);
        this.#add(service, { at, stream, text, containerId: id, replica, revision, level: levelOf(text) });
      }
    } catch {
      // The engine broke off: its stream of events ends too, and everything is followed anew.
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #add(service: string, line: BookLine): void {
    const pending = this.#pending.get(service);
    if (pending) pending.push(line);
    else this.#pending.set(service, [line]);
    for (const listener of this.#listeners.get(service) ?? []) listener(line);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  async #write(): Promise<void> {
    for (const [service, lines] of [...this.#pending]) {
      this.#pending.delete(service);
      await mkdir(this.#directory, { recursive: true });
      const file = join(this.#directory, `${service}.log`);
      const size = await stat(file).then(
        (found) => found.size,
        () => 0,
      );
      if (size > this.#maxBytes) {
        const before = join(this.#directory, `${service}.1.log`); // LogBook.L1
        await rm(before, { force: true });
        await rename(file, before);
      }
      await appendFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { mode: 0o600 });
    }
  }

  /** The last kept line of each container of a service. */
  async #recall(service: string): Promise<void> {
    for (const { containerId, at } of await this.#newest(service)) {
      const last = this.#last.get(containerId);
      if (last === undefined || at > last) this.#last.set(containerId, at);
    }
    if (this.#last.size > 10_000) this.#last.clear();
  }

  /** LogBook.L3: the newest kept lines, oldest first. */
  async #newest(service: string, since?: string, tail = Number.POSITIVE_INFINITY): Promise<BookLine[]> {
    const from = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
    const found: BookLine[] = [];
    for (const file of [`${service}.log`, `${service}.1.log`]) {
      for await (const line of backwards(join(this.#directory, file))) {
        const at = Date.parse(line.at);
        if (at < from - DISORDER_MS || found.length >= tail) return found.reverse();
        if (at >= from) found.push(line);
      }
    }
    return found.reverse();
  }
}

/** The lines of a file, the last one first; none where there is no file. */
async function* backwards(path: string): AsyncGenerator<BookLine> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return;
  try {
    let end = (await file.stat()).size;
    let rest = Buffer.alloc(0); // the end of a line whose begin stands further up
    while (end > 0) {
      const start = Math.max(0, end - CHUNK);
      const chunk = Buffer.alloc(end - start);
      await file.read(chunk, 0, chunk.length, start);
      const bytes = Buffer.concat([chunk, rest]);
      const whole = start === 0 ? 0 : bytes.indexOf("\n") + 1;
      rest = whole === 0 && start > 0 ? bytes : bytes.subarray(0, whole);
      if (whole > 0 || start === 0) yield* linesOf(bytes.subarray(whole));
      end = start;
    }
  } finally {
    await file.close();
  }
}

function* linesOf(bytes: Buffer): Generator<BookLine> {
  for (const text of bytes.toString().split("\n").reverse()) {
    const line = parsed(text);
    if (line !== undefined) yield line;
  }
}

function parsed(text: string): BookLine | undefined {
  try {
    return text === "" ? undefined : (JSON.parse(text) as BookLine);
  } catch {
    return undefined; // half a line: the process was killed while it wrote
  }
}

/** How grave a line is, by its `level` where it is JSON, otherwise by the words that programs use. */
export function levelOf(text: string): Level {
  const said = /"(?:level|lvl|severity)"\s*:\s*"?([A-Za-z0-9]+)/.exec(text)?.[1]?.toLowerCase();
  const word = said ?? /\b(trace|debug|warn|warning|error|err|fatal|panic|critical)\b/i.exec(text)?.[1]?.toLowerCase();
  if (word === undefined) return "info";
  if (/^(trace|debug|10|20)$/.test(word)) return "debug";
  if (/^(warn|warning|40)$/.test(word)) return "warn";
  return /^(error|err|fatal|panic|critical|50|60)$/.test(word) ? "error" : "info";
}
