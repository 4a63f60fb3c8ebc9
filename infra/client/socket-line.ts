/**
 * All calls and streams of a client over one socket.
 *
 * Owns: the socket, what waits for its answers, the events that came and were not taken. Does not own: trying again (`call.ts`,
 * `stream.ts`): when the socket breaks all of it fails as unreachable, and the next try opens another.
 *
 * L1 No more events of a stream come than its reader has room for; what waits of its states is only the newest.
 * L2 A socket on which nothing came for 20 s is dead. One that nobody needs is closed after 10 s.
 */
import { type Answer, callFrame, settle } from "./batch-line.ts";
import { CallError } from "./errors.ts";
import { type Line, type LineEvent, type Outgoing, TryFailed } from "./line.ts";
import { failed, unreachable } from "./problem.ts";
import { SILENCE_MS } from "./server-events.ts";

/** A socket with the interface of the web's `WebSocket`, not yet open. */
export interface ClientSocket {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
}

/** What a line over a socket needs. */
export interface SocketDoor {
  /** Begins to open a socket of the door. */
  open(): ClientSocket;
  /** Who asks. Asked before every try. */
  token(): Promise<string | undefined>;
}

/** Events that a door sends ahead. */
const TAKE_AFTER = 4;
const IDLE_MS = 10_000;
const TOO_LARGE = 1_009;

type Answered = Partial<Answer> & {
  readonly n?: number;
  readonly connected?: true;
  readonly end?: true;
  readonly at?: string;
  readonly event?: string;
  readonly data?: unknown;
};

interface Waiting {
  /** Characters that were sent. */
  readonly length: number;
  hear(answer: Answered): void;
  fail(failure: TryFailed): void;
}

/** A line over sockets that `door` opens when one is needed. */
export function socketLine(door: SocketDoor): Line {
  let current: Connection | undefined;

  async function connected(signal: AbortSignal): Promise<Connection> {
    const token = await door.token();
    if (current === undefined || !current.usable) current = new Connection(door.open());
    const connection = current;
    await Promise.race([connection.opened, aborted(signal)]);
    connection.name(token);
    return connection;
  }

  return {
    async call(outgoing: Outgoing, signal) {
      const connection = await connected(signal);
      return connection.call(outgoing, signal);
    },
    async *open(to, after, signal) {
      const connection = await connected(signal);
      yield* connection.stream({ watch: [to.type, to.key], ...(after !== "" && { after }) }, signal).events();
    },
    async connect({ type, key }, data, signal = new AbortController().signal) {
      const connection = await connected(signal);
      const stream = connection.stream({ connect: [type, key], ...(data !== undefined && { data }) }, signal);
      await stream.connected;
      const events = stream.events();
      return {
        send: (message) => stream.say(message),
        async *messages() {
          for await (const event of events) yield event.data;
        },
        close: () => stream.close(),
      };
    },
    close() {
      current?.end();
      current = undefined;
    },
  };
}

class Connection {
  readonly opened: Promise<void>;
  readonly #socket: ClientSocket;
  readonly #waiting = new Map<number, Waiting>();
  #token: string | undefined;
  #last = 0;
  #ended = false;
  #heardAt = Date.now();
  readonly #watch: ReturnType<typeof setInterval>;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: ClientSocket) {
    this.#socket = socket;
    const { promise, resolve, reject } = withResolvers();
    this.opened = promise;
    promise.catch(() => undefined);
    socket.addEventListener("open", resolve);
    socket.addEventListener("message", ({ data }) => this.#hear(data));
    const gone = (code: number): void => {
      reject(new TryFailed(unreachable(undefined)));
      this.#fail(code);
    };
    socket.addEventListener("error", () => gone(0));
    socket.addEventListener("close", ({ code }) => gone(code));
    this.#watch = setInterval(() => {
      if (Date.now() - this.#heardAt > SILENCE_MS) this.end(); // SocketLine.L2
    }, SILENCE_MS / 4);
    this.#rest();
  }

  /** Whether calls may still be sent over it. */
  get usable(): boolean {
    return !this.#ended;
  }

  /** Says who asks, where that is another than before. */
  name(token: string | undefined): void {
    if (token === this.#token) return;
    this.#token = token;
    this.#send(JSON.stringify({ auth: token ?? null }));
  }

  call(outgoing: Outgoing, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const leave = (): void => {
        signal.removeEventListener("abort", give);
        this.#waiting.delete(id);
        this.#rest();
      };
      const give = (): void => {
        leave();
        this.#send(`{"id":${id},"cancel":true}`);
        reject(new TryFailed(unreachable(signal.reason)));
      };
      const text = JSON.stringify(callFrame(id, outgoing));
      this.#wait(id, {
        length: text.length,
        hear(answer) {
          leave();
          settle({ resolve, reject }, answer as Answer);
        },
        fail(failure) {
          leave();
          reject(failure);
        },
      });
      signal.addEventListener("abort", give);
      this.#send(text);
      if (signal.aborted) give();
    });
  }

  /** Begins a stream of events. */
  stream(asked: object, signal: AbortSignal): Stream {
    const id = ++this.#last;
    const stream = new Stream(
      id,
      signal,
      (frame) => this.#send(frame),
      () => {
        this.#waiting.delete(id);
        this.#rest();
      },
    );
    this.#wait(id, stream);
    this.#send(JSON.stringify({ id, ...asked }));
    return stream;
  }

  /** Ends it from here. */
  end(): void {
    this.#fail(0);
    this.#socket.close(1_000);
  }

  #hear(data: unknown): void {
    this.#heardAt = Date.now();
    const frame = JSON.parse(String(data)) as Answered;
    if (frame.id === undefined) return this.#send("{}");
    this.#waiting.get(frame.id)?.hear(frame);
  }

  #send(text: string): void {
    if (this.#ended) return;
    try {
      this.#socket.send(text);
    } catch {
      this.end();
    }
  }

  #fail(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#watch);
    clearTimeout(this.#idle);
    // The door says of no frame that it was the one which was too large.
    const longest = code === TOO_LARGE ? Math.max(...[...this.#waiting.values()].map(({ length }) => length)) : -1;
    for (const waiting of this.#waiting.values()) {
      waiting.fail(new TryFailed(waiting.length === longest ? tooLarge() : unreachable(undefined)));
    }
  }

  /** SocketLine.L2 */
  #rest(): void {
    clearTimeout(this.#idle);
    if (!this.#ended && this.#waiting.size === 0) this.#idle = setTimeout(() => this.end(), IDLE_MS);
  }

  #wait(id: number, waiting: Waiting): void {
    if (this.#ended) throw new TryFailed(unreachable(undefined));
    this.#waiting.set(id, waiting);
    this.#rest();
  }
}

/** The events of one actor over a socket, and what is said to it. */
class Stream implements Waiting {
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
      event = this.#came.shift() ?? event; // SocketLine.L1
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

function tooLarge(): CallError {
  return new CallError("body.too_large", "The input is larger than the door takes", { status: 413 });
}

/** Rejects when `signal` is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(new TryFailed(unreachable(signal.reason)));
    signal.addEventListener("abort", give, { once: true });
    if (signal.aborted) give();
  });
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: TryFailed) => void } {
  let resolve!: () => void;
  let reject!: (error: TryFailed) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
