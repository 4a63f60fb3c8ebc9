/**
 * The door: actors of a node, called over HTTP by whoever may. Web standards only, so that it runs wherever `fetch` does.
 *
 * Owns: reading requests, the listed actors, problems, streams. Does not own: who a caller is (`authorize`), TLS, CORS.
 *
 * D1 Nothing is reachable that was not listed: unlisted types and messages are answered as those that do not exist.
 * D2 Nothing is called before `authorize` has said yes, and no stream outlives its yes by more than `streamFor`.
 * D3 A command with an `Idempotency-Key` acts once per caller, however often it is sent.
 * D4 Every failure is a problem (RFC 9457) with a code of a closed list; it says nothing of its cause.
 * D5 A batch and a socket carry the same calls and streams: what is refused one by one is refused there as well.
 */
import type { Span } from "#runtime";
import { limitBody, readJson } from "../http/body.ts";
import { jsonTextResponse, mark } from "../http/mark.ts";
import type { Problem } from "../http/problem.ts";
import { beginRequest, endRequest, traceOf } from "../http/trace.ts";
import { nothingHere, stepsOf } from "./address.ts";
import { batchResponse } from "./batch.ts";
import { Door } from "./core.ts";
import { eventStream } from "./event-stream.ts";
import { doorProblem, failureResponse } from "./failure.ts";
import { asksOf } from "./frames.ts";
import { type DoorDocument, doorDocument } from "./openapi.ts";
import type { DoorOptions, DoorTroupe } from "./options.ts";
import { DEADLINE_HEADER } from "./request-options.ts";
import type { DoorSession, SessionHooks, SocketLine } from "./socket-line.ts";
import { DoorSockets } from "./sockets.ts";

/** A door. Made by {@link actorHandler}. */
export interface ActorHandler {
  /** Answers one request. Never rejects. */
  (request: Request): Promise<Response>;
  /** The OpenAPI 3.1 document of what is listed. */
  openapi(): DoorDocument;
  /** Ends all streams and sockets; their clients come back. For the moment before a server stops. */
  close(): void;
  /** For hosts: whether a request asks for a socket of this door. */
  wantsSocket(request: Request): boolean;
  /** For hosts: why a request gets no socket; `undefined`: it may have one. Never rejects. */
  refuseSocket(request: Request): Response | undefined;
  /**
   * For hosts: begins a session on a socket that was opened by `request`, which the host must not take back. `hooks`: what the host
   * itself has to say of its client.
   */
  session(request: Request, line: SocketLine, hooks?: SessionHooks): DoorSession;
}

/**
 * Makes a door: `POST /{type}/{key}/{message}` calls an actor with JSON, `GET /{type}/{key}/watch` follows its states and its
 * broadcasts as server-sent events, resumable by `Last-Event-ID`. `POST /batch` carries several calls, and `GET /socket`
 * becomes a socket that carries calls and streams, where the host has one: see {@link bunSockets}, {@link serveSocket}.
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
  const { maxBatch = 100 } = options;
  const door = new Door(troupe, options);
  const sockets = new DoorSockets(door, options.sockets);
  const times = { heartbeatMs: door.heartbeatMs, lifeMs: door.lifeMs };

  async function call(request: Request, type: string, key: string, message: string): Promise<Response> {
    door.definition(type, message); // a body for nothing is not read
    if (request.method !== "POST") throw notAllowed("POST");
    limitBody(request, door.maxBodyBytes);
    const input = await readJson(request);
    const { headers, signal } = request;
    const ask = {
      type,
      key,
      message,
      input,
      idempotencyKey: headers.get("idempotency-key") ?? undefined,
      deadlineMs: headers.get(DEADLINE_HEADER) ?? undefined,
    };
    const reply = await door.call(ask, request, traceOf(request).traceparent, signal);
    return jsonTextResponse(request, reply === undefined ? 204 : 200, reply, { "cache-control": "no-store" });
  }

  async function batch(request: Request): Promise<Response> {
    if (maxBatch === 0) throw nothingHere();
    if (request.method !== "POST") throw notAllowed("POST");
    limitBody(request, door.maxBodyBytes);
    return batchResponse(door, request, asksOf(await readJson(request), maxBatch));
  }

  async function watch(request: Request, type: string, key: string): Promise<Response> {
    door.followed(type);
    if (request.method !== "GET") throw notAllowed("GET");
    const row = await door.follow({ type, key, after: request.headers.get("last-event-id") ?? undefined }, request);
    const headers = { "x-trace-id": traceOf(request).traceId };
    const stream = eventStream(row, times, headers, () => gone());
    const gone = door.opened(() => stream.end());
    request.signal.addEventListener("abort", () => stream.end(), { once: true });
    if (request.signal.aborted) stream.end();
    return stream.response;
  }

  async function answer(request: Request): Promise<Response> {
    const [type = "", key = "", message = "", ...more] = stepsOf(request.url, door.base);
    if (type === "batch" && key === "") return batch(request);
    if (type === "socket" && key === "" && request.method === "GET") throw noSocket(sockets.wanted(request));
    if (more.length > 0 || type === "" || key === "" || message === "") throw nothingHere();
    // A message may be named `watch` as well: it is called by POST.
    const called = request.method === "POST" || message !== "watch";
    return called ? call(request, type, key, message) : watch(request, type, key);
  }

  function failed(request: Request, error: unknown): Response {
    const response = failureResponse(door.failure(error, typeIn(request, door.base), traceOf(request).traceId));
    mark(response, request);
    return response;
  }

  const handle = async (request: Request): Promise<Response> => {
    let response: Response;
    let span: Span | undefined;
    try {
      const { tracing } = door.node;
      if (tracing !== undefined) span = beginRequest(request, tracing, new URL(request.url).pathname);
      response = await answer(request);
      mark(response, request);
    } catch (error) {
      response = failed(request, error);
    }
    endRequest(span, request, `${door.base}/:type/:key/:message`, response.status);
    return response;
  };
  return Object.assign(handle, {
    openapi: () => doorDocument(door, maxBatch),
    close: () => door.close(),
    wantsSocket: (request: Request) => sockets.wanted(request),
    refuseSocket(request: Request) {
      try {
        sockets.admit(request);
        return undefined;
      } catch (error) {
        return failed(request, error);
      }
    },
    session: (request: Request, line: SocketLine, hooks?: SessionHooks) => sockets.begin(request, line, hooks),
  });
}

/** @param wanted the request asks for a socket. */
function noSocket(wanted: boolean): Problem {
  const detail = wanted ? "This host opens no sockets for this door" : "This is a WebSocket: ask for an upgrade";
  return doorProblem("upgrade_required", detail, { headers: { upgrade: "websocket" } });
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
