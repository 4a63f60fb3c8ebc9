/**
 * The events of one actor over a socket, and what is said to it.
 *
 * Owns: the events that came and were not taken, the messages that wait for their turns. Does not own: the socket
 * (`socket-line.ts`). Calls in: `hear`, `fail`, `say`, `events`, `close`.
 */
import type { Answer } from "./batch-line.ts";
import { CallError } from "./errors.ts";
import { type LineEvent, TryFailed } from "./line.ts";
import { failed } from "./problem.ts";

/** Events taken before the door is told that more may come: it sends 8 ahead. */
const TAKE_AFTER = 4;

/** What a door says under the number of a call or a stream. */
export type Answered = Partial<Answer> & {
  readonly n?: number;
  readonly connected?: true;
  readonly end?: true;
  readonly at?: string;
  readonly event?: string;
  readonly data?: unknown;
};

/** Who waits for what is said under a number. */
export interface Waiting {
  /** Characters that were sent. */
  readonly length: number;
  hear(answer: Answered): void;
  fail(failure: TryFailed): void;
}

/** A stream, or a socket of an actor. */
export class Stream implements Waiting {
  readonly length = 0;
  /** The actor has taken the socket. */
  readonly connected: Promise<void>;
  readonly #id: number;
  readonly #signal: AbortSignal;
  readonly #send: (frame: string) => void;
  readonly #left: () => void;
  readonly #came: LineEvent[] = [];
  readonly #said = new Map<number, { resolve(): void; reject(failure: TryFailed): void }>();
  readonly #give = (): void => this.close();
  readonly #opened = withResolvers();
  #over: TryFailed | "end" | undefined;
  #wake: (() => void) | undefined;
  #taken = 0;
  #count = 0;

  constructor(id: number, signal: AbortSignal, send: (frame: string) => void, left: () => void) {
    this.#id = id;
    this.#signal = signal;
    this.#send = send;
    this.#left = left;
    this.connected = this.#opened.promise;
    this.connected.catch(() => undefined);
    signal.addEventListener("abort", this.#give);
  }

  hear({ end, connected, n, event, at, data, status = 0, problem = {}, retryAfter }: Answered): void {
    if (end === true) return this.#end("end");
    if (connected === true) return this.#opened.resolve();
    if (n !== undefined) {
      const said = this.#said.get(n);
      this.#said.delete(n);
      return status < 300 ? said?.resolve() : said?.reject(failed(status, problem, retryAfter));
    }
    if (event === undefined) return this.#end(failed(status, problem, retryAfter));
    this.#came.push({ id: at, event, data });
    this.#wake?.();
  }

  fail(failure: TryFailed): void {
    this.#end(failure);
  }

  say(data: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over === "end" ? new TryFailed(closed()) : this.#over);
      this.#said.set(++this.#count, { resolve, reject });
      this.#send(JSON.stringify({ id: this.#id, n: this.#count, say: data }));
    });
  }

  close(): void {
    if (this.#over !== undefined) return;
    this.#send(`{"id":${this.#id},"cancel":true}`);
    this.#end("end");
  }

  async *events(): AsyncGenerator<LineEvent, void> {
    try {
      if (this.#signal.aborted) this.close();
      for (;;) {
        const event = this.#next();
        if (event !== undefined) yield event;
        else if (this.#over === "end") return;
        else if (this.#over !== undefined) throw this.#over;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.close();
    }
  }

  #next(): LineEvent | undefined {
    let event = this.#came.shift();
    if (event === undefined) return undefined;
    this.#taken++;
    while (event.event === "state" && this.#came[0]?.event === "state") {
      event = this.#came.shift() ?? event; // ClientSocketLine.L1
      this.#taken++;
    }
    if (this.#taken >= TAKE_AFTER && this.#over === undefined) {
      this.#send(`{"id":${this.#id},"take":${this.#taken}}`);
      this.#taken = 0;
    }
    return event;
  }

  #end(how: TryFailed | "end"): void {
    if (this.#over !== undefined) return;
    this.#over = how;
    this.#signal.removeEventListener("abort", this.#give);
    const failure = how === "end" ? new TryFailed(closed()) : how;
    this.#opened.reject(failure);
    for (const said of this.#said.values()) said.reject(failure);
    this.#left();
    this.#wake?.();
  }
}

function closed(): CallError {
  return new CallError("cancelled", "The socket is closed");
}

/** A promise that is settled from outside. */
export function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: TryFailed) => void } {
  let resolve!: () => void;
  let reject!: (error: TryFailed) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
