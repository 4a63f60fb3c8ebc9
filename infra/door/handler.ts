/**
 * The door: actors of a node, called over HTTP by whoever may. Web standards only, so that it runs wherever `fetch` does.
 *
 * Owns: reading requests, the listed actors, problems, streams. Does not own: who a caller is (`authorize`), TLS, CORS.
 *
 * D1 Nothing is reachable that was not listed: unlisted types and messages are answered as those that do not exist.
 * D2 Nothing is called before `authorize` has said yes, and no stream outlives its yes by more than `streamFor`.
 * D3 A command with an `Idempotency-Key` acts once per caller, however often it is sent.
 * D4 Every failure is a problem (RFC 9457) with a code of a closed list; it says nothing of its cause.
 */
import { type AnyActorType, type Duration, durationMs, type Log, silentLog, type Span } from "#runtime";
import { limitBody, readJson } from "../http/body.ts";
import { jsonResponse, mark } from "../http/mark.ts";
import type { Problem } from "../http/problem.ts";
import { beginRequest, endRequest, traceOf } from "../http/trace.ts";
import { nothingHere, stepsOf } from "./address.ts";
import { placeOf } from "./event-id.ts";
import { alarm, eventStream, type OpenStream } from "./event-stream.ts";
import { type Exposure, type Shown, shownBy } from "./exposure.ts";
import { doorProblem, failureResponse, problemOf } from "./failure.ts";
import { type DoorDocument, doorDocument } from "./openapi.ts";
import { messageId, timeoutOf } from "./request-options.ts";
import { type DoorTroupe, Watcher } from "./watcher.ts";

/** What somebody asks a door for. */
export interface DoorCall {
  /** A command, a query, or to watch an actor. */
  readonly kind: "command" | "query" | "watch";
  readonly type: string;
  readonly key: string;
  /** The name of the message; `watch` for a stream. */
  readonly message: string;
  /** The JSON that was sent, not yet checked; `undefined` where there was none. */
  readonly input: unknown;
}

/**
 * Who may: `true` anybody as one and the same caller; `{ caller }` this one, whose ids are kept apart from those of others;
 * `"unauthenticated"` nobody knows who asks (401); `false` not this one (403).
 */
export type Verdict = boolean | "unauthenticated" | { readonly caller: string };

/** What {@link actorHandler} is given. */
export interface DoorOptions {
  /** What can be reached: an actor type with all of its messages and its states, or the part that {@link expose} names. */
  readonly actors: readonly (AnyActorType | Exposure)[];
  /**
   * Says who may. Asked before each call and each stream, with what was sent. What it throws is answered 500. Where it goes by cookies
   * it must refuse pages of other origins itself.
   */
  readonly authorize: (call: DoorCall, request: Request) => Verdict | Promise<Verdict>;
  /** The path it is mounted at, as in `/rpc`. Default: the root. */
  readonly base?: string;
  /** Bytes of a request's body, at most. Default 262,144. */
  readonly maxBodyBytes?: number;
  /** How long a call may take at most, whatever the caller asks for. Default `"30s"`. */
  readonly timeout?: Duration;
  /** Open streams, all actors together; one more is answered 503. Default 10,000. */
  readonly maxStreams?: number;
  /** How long a stream lasts before its client asks again, and `authorize` is asked again. Default `"5m"`. */
  readonly streamFor?: Duration;
  /** How often a stream with nothing to say shows that it lives. Default `"5s"`: below the idle limit of `Bun.serve`. */
  readonly heartbeat?: Duration;
  /** Whether a refusal's `data` is shown to the caller, beside its reason. Default true. */
  readonly refusalData?: boolean;
  /** Gets a line for each failure that is our own fault (`door:failed`). Default: silent. */
  readonly log?: Log;
}

/** A door. Made by {@link actorHandler}. */
export interface ActorHandler {
  /** Answers one request. Never rejects. */
  (request: Request): Promise<Response>;
  /** The OpenAPI 3.1 document of what is listed. */
  openapi(): DoorDocument;
  /** Ends all streams; their clients come back. For the moment before a server stops. */
  close(): void;
}

/** A first state that takes longer than this does not hold up the answer: the stream opens without it. */
const FIRST_STATE_MS = 1_000;

/**
 * Makes a door: `POST /{type}/{key}/{message}` calls an actor with JSON, `GET /{type}/{key}/watch` follows its states and its
 * broadcasts as server-sent events, resumable by `Last-Event-ID`.
 *
 * `Idempotency-Key` makes a command act once; `troupe-deadline-ms` says how long the caller waits. Failures are problems
 * with the codes of {@link DOOR_STATUSES}; a refusal is a 409 with `reason` and `data`.
 *
 * @param troupe the node, or a function that gives it: what that throws is answered as unavailable or internal.
 * @throws {TypeError} when a type is listed twice, or `base` does not begin with a slash, or ends with one.
 *
 * @example
 * ```ts
 * const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
 * const answer = await door(new Request("http://x/counter/visits/add", {
 *   method: "POST",
 *   headers: { "content-type": "application/json", "idempotency-key": "click-1" },
 *   body: JSON.stringify({ by: 1 }),
 * }));
 * console.log(await answer.json()); // 1
 * ```
 */
export function actorHandler(troupe: DoorTroupe | (() => DoorTroupe), options: DoorOptions): ActorHandler {
  const {
    authorize,
    base = "",
    maxBodyBytes = 262_144,
    maxStreams = 10_000,
    refusalData = true,
    log = silentLog,
  } = options;
  if (base !== "" && !/^\/.*[^/]$/u.test(base)) {
    throw new TypeError(`Cannot mount a door at "${base}": expected "" or a path like "/rpc"`);
  }
  const timeoutMs = durationMs(options.timeout ?? "30s");
  const times = { heartbeatMs: durationMs(options.heartbeat ?? "5s"), lifeMs: durationMs(options.streamFor ?? "5m") };
  const shown = shownBy(options.actors);
  const streams = new Set<OpenStream>();
  const node = typeof troupe === "function" ? troupe : () => troupe;
  let opening = 0;

  async function call(request: Request, type: string, key: string, message: string): Promise<Response> {
    const { actor, messages } = found(shown, type);
    const definition = messages.has(message) ? actor.messages[message] : undefined;
    if (definition === undefined) throw doorProblem("message.not_found", "There is no such message");
    if (request.method !== "POST") throw notAllowed("POST");
    limitBody(request, maxBodyBytes);
    const timeout = timeoutOf(request, timeoutMs);
    const input = await readJson(request);
    const caller = admitted(await authorize({ kind: definition.kind, type, key, message, input }, request)); // DoorHandler.D2
    const id = definition.kind === "command" ? await messageId(request, caller) : undefined; // DoorHandler.D3
    const reply = await node().call(type, key, message, input, {
      ...(id !== undefined && { id }),
      timeout,
      signal: request.signal,
      traceparent: traceOf(request).traceparent,
    });
    return jsonResponse(request, reply === undefined ? 204 : 200, reply, { "cache-control": "no-store" });
  }

  async function watch(request: Request, type: string, key: string): Promise<Response> {
    const { actor, watch: states, topics } = found(shown, type);
    if (!states && topics === undefined) throw doorProblem("message.not_found", "There is no such message");
    if (request.method !== "GET") throw notAllowed("GET");
    const after = placeOf(request.headers.get("last-event-id"));
    admitted(await authorize({ kind: "watch", type, key, message: "watch", input: undefined }, request)); // DoorHandler.D2
    if (streams.size + opening >= maxStreams) {
      throw doorProblem("streams.full", "Too many streams are open: try again", { retryAfter: 1 });
    }
    opening++;
    try {
      const wish = { actor, key, states, topics: topics?.(key) ?? [], after };
      const watcher = await Watcher.start(node(), wish);
      const first = watcher.next();
      // A key that cannot be, or a node that stops, is an answer of its own and no stream.
      const patience = alarm(FIRST_STATE_MS);
      try {
        await Promise.race([first, patience.over]);
      } catch (error) {
        watcher.stop();
        throw error;
      } finally {
        patience.cancel();
      }
      return opened(request, watcher, first);
    } finally {
      opening--;
    }
  }

  function opened(request: Request, watcher: Watcher, first: ReturnType<Watcher["next"]>): Response {
    let early: typeof first | undefined = first;
    const row = {
      next() {
        const next = early ?? watcher.next();
        early = undefined;
        return next;
      },
      sent: () => watcher.sent(),
      stop: () => watcher.stop(),
    };
    const headers = { "x-trace-id": traceOf(request).traceId };
    const stream = eventStream(row, times, headers, () => streams.delete(stream));
    streams.add(stream);
    request.signal.addEventListener("abort", () => stream.end(), { once: true });
    if (request.signal.aborted) stream.end();
    return stream.response;
  }

  async function answer(request: Request): Promise<Response> {
    const [type = "", key = "", message = "", ...more] = stepsOf(request.url, base);
    if (more.length > 0 || type === "" || key === "" || message === "") throw nothingHere();
    // A message may be named `watch` as well: it is called by POST.
    const called = request.method === "POST" || message !== "watch";
    return called ? call(request, type, key, message) : watch(request, type, key);
  }

  const door = async (request: Request): Promise<Response> => {
    let response: Response;
    let span: Span | undefined;
    try {
      const { tracing } = node();
      if (tracing !== undefined) span = beginRequest(request, tracing, new URL(request.url).pathname);
      response = await answer(request);
    } catch (error) {
      const { traceId } = traceOf(request);
      const { status, code } = problemOf(error);
      if (status === 500 && code === "internal") log("error", "door:failed", { traceId, error });
      response = await failureResponse(error, typeIn(request, base), traceId, refusalData);
    }
    mark(response, request);
    endRequest(span, request, `${base}/:type/:key/:message`, response.status);
    return response;
  };
  return Object.assign(door, {
    openapi: () => doorDocument(shown.values(), base),
    close: () => {
      for (const stream of streams) stream.end();
    },
  });
}

function found(shown: ReadonlyMap<string, Shown>, type: string): Shown {
  const one = shown.get(type);
  if (one === undefined) throw doorProblem("actor.not_found", "There is no such actor type"); // DoorHandler.D1
  return one;
}

/** The caller that a verdict names. @throws {Problem} 401 or 403 where it is no yes. */
function admitted(verdict: Verdict): string {
  if (verdict === true) return "";
  if (verdict === "unauthenticated") {
    throw doorProblem("unauthenticated", "This needs to know who asks", { headers: { "www-authenticate": "Bearer" } });
  }
  if (typeof verdict === "object") return verdict.caller;
  throw doorProblem("forbidden", "This is not for you");
}

function notAllowed(allow: string): Problem {
  return doorProblem("method_not_allowed", `Only ${allow} is allowed here`, { headers: { allow } });
}

/** The first half of a refusal's code. It was read before, or nothing was refused. */
function typeIn(request: Request, base: string): string {
  try {
    return stepsOf(request.url, base)[0] ?? "actor";
  } catch {
    return "actor";
  }
}
