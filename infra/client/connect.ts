/**
 * The client of a door: typed calls and streams from a browser or any host with `fetch`.
 *
 * C1 A command has one id for all of its tries, so that it acts once.
 * C2 What passes by itself (`overloaded`, `unavailable`, a server that is away …) is tried again, ever later and by chance,
 *    until the deadline. What does not is thrown at once.
 * C3 A stream goes on behind its last event when its line breaks.
 * C4 No server code is imported, only its types.
 */
import { call, type Line } from "./call.ts";
import { eventSource } from "./event-source.ts";
import type { ActorName, App, Broadcast, Named, RemoteOptions, RemoteRef, RemoteState } from "./types.ts";

/** What {@link connect} is told. */
export interface ConnectOptions {
  /** The bearer token, or who gives one; asked before every try. Default: none. */
  readonly auth?: string | (() => string | Promise<string>);
  /** How long a call may take, its retries included. Default 30,000 ms. */
  readonly timeoutMs?: number;
  /** Sends a request. Default: the host's `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** A connection to a door. Holds nothing but its options: calls and streams end by themselves. */
export interface Client<Known = App> {
  /** A typed handle on an actor. Cheap; the actor need not exist. */
  ref<const Name extends ActorName<Known>>(actor: Name, key: string): RemoteRef<Named<Known, Name>>;
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
  const { auth, timeoutMs = TIMEOUT_MS, fetch: send = (request) => fetch(request) } = options;
  const line: Line = {
    url: url.replace(/\/+$/u, ""),
    fetch: send,
    timeoutMs,
    async authorization(): Promise<Record<string, string>> {
      if (auth === undefined) return {};
      return { authorization: `Bearer ${typeof auth === "string" ? auth : await auth()}` };
    },
  };
  return {
    ref: (actor, key) => refOf(line, pathOf(actor, key)) as never,
    async *watch(actor, key, { signal } = {}) {
      for await (const { event, data } of eventSource(line, `${pathOf(actor, key)}/watch`, signal)) {
        if (event === "state") yield JSON.parse(data) as never;
      }
    },
    async *follow(actor, key, { signal } = {}) {
      for await (const { event, data } of eventSource(line, `${pathOf(actor, key)}/watch`, signal)) {
        if (event === "broadcast") yield { kind: "message", ...(JSON.parse(data) as object) } as Broadcast;
        else if (event === "gap") yield { kind: "gap", ...(JSON.parse(data) as object) } as Broadcast;
      }
    },
  };
}

/** The path of an actor below the door. @throws {RangeError} for `.` and `..`, which no address can hold, and for no key at all. */
function pathOf(actor: string | { readonly type: string }, key: string): string {
  if (/^\.{0,2}$/u.test(key))
    throw new RangeError(`Cannot address the key "${key}": expected other than "", "." and ".."`);
  return `/${typeof actor === "string" ? actor : actor.type}/${encodeURIComponent(key)}`;
}

type Method = (input?: unknown, options?: RemoteOptions) => Promise<unknown>;

function refOf(line: Line, path: string): Readonly<Record<string, Method>> {
  const methods = new Map<string, Method>();
  return new Proxy<Readonly<Record<string, Method>>>(Object.freeze({}), {
    get(_, name) {
      // A ref that is awaited, or returned by an async function, is no promise.
      if (typeof name !== "string" || name === "then") return undefined;
      let method = methods.get(name);
      if (method === undefined) {
        method = (input, options) => call(line, `${path}/${encodeURIComponent(name)}`, input, options);
        methods.set(name, method);
      }
      return method;
    },
  });
}
