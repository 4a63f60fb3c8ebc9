/**
 * The client of a door: typed calls and streams from a browser or any host with `fetch`.
 *
 * C1 A command has one id for all of its tries, so that it acts once.
 * C2 What passes by itself (`overloaded`, `unavailable`, a server that is away …) is tried again, ever later and by chance,
 *    until the deadline. What does not is thrown at once.
 * C3 A stream goes on behind its last event when its line breaks.
 * C4 No server code is imported, only its types.
 */
import { batchLine } from "./batch-line.ts";
import { call } from "./call.ts";
import { httpLine } from "./http-line.ts";
import { type Line, type RemoteAddress, TryFailed } from "./line.ts";
import { type ClientSocket, socketLine } from "./socket-line.ts";
import { stream } from "./stream.ts";
import type {
  ActorName,
  App,
  Broadcast,
  Called,
  ConnectData,
  KeyOf,
  Named,
  RemoteOptions,
  RemoteRef,
  RemoteSocket,
  RemoteState,
} from "./types.ts";

/** What {@link connect} is told. */
export interface ConnectOptions {
  /** The bearer token, or who gives one; asked before every try. Default: none. */
  readonly auth?: string | (() => string | Promise<string>);
  /** How long a call may take, its retries included. Default 30,000 ms. */
  readonly timeoutMs?: number;
  /** Sends a request. Default: the host's `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /**
   * `"http"`: a request for each call and stream. `"batch"`: calls that are made together, without waiting in between, go in one
   * request, each with its own answer. `"websocket"`: all calls and streams share one socket. Default `"http"`.
   */
  readonly transport?: "http" | "batch" | "websocket";
  /** Opens a socket. Default: the host's `WebSocket`, which Node has from version 22. */
  readonly webSocket?: (url: string) => ClientSocket;
}

/** A connection to a door. Calls and streams end by themselves, and so does a socket that nobody uses. */
export interface Client<Known = App> {
  /**
   * A typed handle on an actor, by its key, or on a stateless worker, which has none. Cheap; the actor need not exist. What a
   * worker is asked over a line that breaks may run more than once: it keeps no ids.
   */
  ref<const Name extends ActorName<Known>>(
    actor: Name,
    ...key: KeyOf<Called<Known, Name>>
  ): RemoteRef<Called<Known, Name>>;
  /**
   * The durable states of an actor: first the present one, then each newer one; a reader that takes its time meets the newest
   * next. Goes on by itself when the line breaks. Ends when `signal` is aborted.
   * @throws {CallError} what does not pass by itself: `forbidden`, `actor.not_found`, `invalid_input`.
   */
  watch<const Name extends ActorName<Known>>(
    actor: Name,
    key: string,
    options?: { readonly signal?: AbortSignal },
  ): AsyncGenerator<RemoteState<Named<Known, Name>>, void>;
  /** What an actor broadcasts to the topics its door lists, from now on, each once and in order; where some are lost, a gap. */
  follow<const Name extends ActorName<Known>>(
    actor: Name,
    key: string,
    options?: { readonly signal?: AbortSignal },
  ): AsyncGenerator<Broadcast, void>;
  /**
   * Connects to an actor that has sockets. Needs `transport: "websocket"`. It lasts until either side closes it or the line
   * breaks: then connect anew.
   * @throws {CallError} what keeps it from being connected: `forbidden`, `message.not_found`, `unreachable`; a {@link RefusedCall}
   * where the actor refused it. @throws {TypeError} another transport.
   */
  socket<const Name extends ActorName<Known>>(
    actor: Name,
    key: string,
    options?: { readonly data?: ConnectData<Named<Known, Name>>; readonly signal?: AbortSignal },
  ): Promise<RemoteSocket<Named<Known, Name>>>;
  /** Closes the socket, where there is one. The next call opens another. */
  close(): void;
}

const TIMEOUT_MS = 30_000;

/**
 * Connects to a door. Nothing is sent before the first call.
 *
 * @param url where the door is mounted, as in `https://example.com/rpc`.
 *
 * @example
 * ```ts
 * const client = connect<{ counter: typeof Counter }>("https://example.com/rpc", { auth: "key" });
 * await client.ref("counter", "visits").add({ by: 1 });
 * for await (const { state } of client.watch("counter", "visits")) console.log(state.count);
 * ```
 */
export function connect<Known = App>(url: string, options: ConnectOptions = {}): Client<Known> {
  const { timeoutMs = TIMEOUT_MS } = options;
  const line = lineTo(url.replace(/\/+$/u, ""), options);
  return {
    ref: (actor, key?: string) => refOf(line, addressOf(actor, key ?? "-"), timeoutMs) as never,
    async *watch(actor, key, { signal } = {}) {
      for await (const { event, data } of stream(line, addressOf(actor, key), signal)) {
        if (event === "state") yield data as never;
      }
    },
    async *follow(actor, key, { signal } = {}) {
      for await (const { event, data } of stream(line, addressOf(actor, key), signal)) {
        if (event === "broadcast") yield { kind: "message", ...(data as object) } as Broadcast;
        else if (event === "gap") yield { kind: "gap", ...(data as object) } as Broadcast;
      }
    },
    async socket(actor, key, { data, signal } = {}) {
      if (line.connect === undefined)
        throw new TypeError('Cannot connect to an actor but over `transport: "websocket"`');
      const socket = await line.connect(addressOf(actor, key), data, signal).catch(plain);
      return {
        send: (message) => socket.send(message).catch(plain),
        async *[Symbol.asyncIterator]() {
          try {
            yield* socket.messages() as AsyncGenerator<never>;
          } catch (error) {
            plain(error);
          }
        },
        close: () => socket.close(),
      };
    },
    close: () => line.close(),
  };
}

function lineTo(url: string, options: ConnectOptions): Line {
  const { auth, transport = "http", fetch: send = (request) => fetch(request) } = options;
  const { webSocket = (at: string): ClientSocket => new WebSocket(at) } = options;
  const token = async (): Promise<string | undefined> => (typeof auth === "function" ? auth() : auth);
  if (transport === "websocket") return socketLine({ open: () => webSocket(socketUrl(url)), token });
  const door = {
    url,
    fetch: send,
    async authorization(): Promise<Record<string, string>> {
      const given = await token();
      return given === undefined ? {} : { authorization: `Bearer ${given}` };
    },
  };
  return transport === "batch" ? batchLine(door) : httpLine(door);
}

/** What a try failed with, as callers know it. */
function plain(thrown: unknown): never {
  throw thrown instanceof TryFailed ? thrown.error : thrown;
}

/** Where the sockets of a door are opened: in a page `url` may be a path. */
function socketUrl(url: string): string {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location;
  return new URL(`${url}/socket`, page?.href).href.replace(/^http/u, "ws");
}

/** An actor as it is addressed. @throws {RangeError} for `.` and `..`, which no address can hold, and for no key at all. */
function addressOf(actor: string | { readonly type: string }, key: string): RemoteAddress {
  if (/^\.{0,2}$/u.test(key))
    throw new RangeError(`Cannot address the key "${key}": expected other than "", "." and ".."`);
  return { type: typeof actor === "string" ? actor : actor.type, key };
}

type Method = (input?: unknown, options?: RemoteOptions) => Promise<unknown>;

function refOf(line: Line, to: RemoteAddress, timeoutMs: number): Readonly<Record<string, Method>> {
  const methods = new Map<string, Method>();
  return new Proxy<Readonly<Record<string, Method>>>(Object.freeze({}), {
    get(_, name) {
      // A ref that is awaited, or returned by an async function, is no promise.
      if (typeof name !== "string" || name === "then") return undefined;
      let method = methods.get(name);
      if (method === undefined) {
        method = (input, options) => call(line, to, name, input, { timeoutMs, ...options });
        methods.set(name, method);
      }
      return method;
    },
  });
}
