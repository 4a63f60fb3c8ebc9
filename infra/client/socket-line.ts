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
import { type Line, type Outgoing, TryFailed } from "./line.ts";
import { unreachable } from "./problem.ts";
import { SILENCE_MS } from "./server-events.ts";
import { type Answered, Stream, type Waiting, withResolvers } from "./socket-stream.ts";

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

const IDLE_MS = 10_000;
const TOO_LARGE = 1_009;

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
      if (Date.now() - this.#heardAt > SILENCE_MS) this.end(); // ClientSocketLine.L2
    }, SILENCE_MS / 4);
    unhold(this.#watch);
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
    let frame: Answered;
    try {
      frame = JSON.parse(String(data)) as Answered;
    } catch {
      return this.end(); // whoever says this is no door
    }
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

  /** ClientSocketLine.L2 */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#ended || this.#waiting.size > 0) return;
    this.#idle = setTimeout(() => this.end(), IDLE_MS);
    unhold(this.#idle);
  }

  #wait(id: number, waiting: Waiting): void {
    if (this.#ended) throw new TryFailed(unreachable(undefined));
    this.#waiting.set(id, waiting);
    this.#rest();
  }
}

/** A process need not wait for a timer: the socket itself keeps it, where there is one. */
function unhold(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
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
