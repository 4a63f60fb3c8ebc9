/**
 * The sockets of the hosts, as a door takes them: one of `Bun.serve`, and one for every host whose sockets are those of the
 * web (workerd, Deno, Node with the package `ws`).
 */
import type { ActorHandler } from "./handler.ts";
import type { DoorSession, SocketLine } from "./socket-line.ts";

/** A socket with the interface of the web's `WebSocket`. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  readonly bufferedAmount?: number;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/**
 * Serves a socket that the host has accepted for `request`, for as long as it is open.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { WebSocketServer } from "ws";
 *
 * const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
 * const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_048_576 });
 * createServer().on("upgrade", (incoming, socket, head) => {
 *   const headers = incoming.headers as Record<string, string>;
 *   const request = new Request(`http://${incoming.headers.host}${incoming.url}`, { headers });
 *   if (!door.wantsSocket(request) || door.refuseSocket(request) !== undefined) return socket.destroy();
 *   return sockets.handleUpgrade(incoming, socket, head, (opened) => serveSocket(door, request, opened));
 * });
 * ```
 */
export function serveSocket(door: ActorHandler, request: Request, socket: WebSocketLike): void {
  const session = door.session(request, {
    send: (text) => ignoringClosed(() => socket.send(text)),
    close: (code, reason) => ignoringClosed(() => socket.close(code, reason)),
    unreadBytes: () => socket.bufferedAmount ?? 0,
  });
  socket.addEventListener("message", ({ data }) => session.message(data));
  socket.addEventListener("close", () => session.closed());
  socket.addEventListener("error", () => session.closed());
}

/**
 * A request on workerd: an answer, or a socket where it asks for one.
 *
 * @example
 * ```ts
 * const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
 * const worker = { fetch: (request: Request) => workerFetch(door, request) };
 * ```
 */
export function workerFetch(door: ActorHandler, request: Request): Promise<Response> {
  if (!door.wantsSocket(request)) return door(request);
  const refused = door.refuseSocket(request);
  if (refused !== undefined) return Promise.resolve(refused);
  const { WebSocketPair: Pair } = globalThis as unknown as WorkerGlobals;
  const pair = new Pair();
  pair[1].accept();
  const kept = new Request(request.url, { headers: new Headers(request.headers) });
  serveSocket(door, kept, pair[1]);
  return Promise.resolve(new Response(null, { status: 101, webSocket: pair[0] } as ResponseInit));
}

interface WorkerGlobals {
  readonly WebSocketPair: new () => Readonly<Record<0 | 1, WebSocketLike & { accept(): void }>>;
}

/**
 * A request on Deno: an answer, or a socket where it asks for one.
 *
 * @example
 * ```ts
 * const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
 * const handler = (request: Request) => denoFetch(door, request); // Deno.serve(handler)
 * ```
 */
export function denoFetch(door: ActorHandler, request: Request): Promise<Response> {
  if (!door.wantsSocket(request)) return door(request);
  const refused = door.refuseSocket(request);
  if (refused !== undefined) return Promise.resolve(refused);
  const { Deno } = globalThis as unknown as DenoGlobals;
  // Deno takes the request back once it is a socket.
  const kept = new Request(request.url, { headers: new Headers(request.headers) });
  const { socket, response } = Deno.upgradeWebSocket(request);
  serveSocket(door, kept, socket);
  return Promise.resolve(response);
}

interface DenoGlobals {
  readonly Deno: {
    upgradeWebSocket(request: Request): { readonly socket: WebSocketLike; readonly response: Response };
  };
}

/** What is kept with a socket of `Bun.serve`. */
export interface BunSocketData {
  readonly request: Request;
  session?: DoorSession;
}

/** The part of a `ServerWebSocket` that is used. */
export interface BunSocket {
  readonly data: BunSocketData;
  sendText(text: string): number;
  close(code?: number, reason?: string): void;
  getBufferedAmount(): number;
  cork(send: () => void): void;
}

/** What `Bun.serve` takes: `fetch` and `websocket`. */
export interface BunHandlers {
  fetch(
    this: void,
    request: Request,
    server: { upgrade(request: Request, options: { data: BunSocketData }): boolean },
  ): Promise<Response | undefined>;
  readonly websocket: {
    readonly data: BunSocketData;
    readonly maxPayloadLength: number;
    readonly backpressureLimit: number;
    readonly closeOnBackpressureLimit: boolean;
    readonly idleTimeout: number;
    open(this: void, socket: BunSocket): void;
    message(this: void, socket: BunSocket, data: unknown): void;
    close(this: void, socket: BunSocket): void;
  };
}

/** Over this Bun itself closes the socket: the door's own limits come first. */
const MAX_PAYLOAD_BYTES = 4 * 1_048_576;
const IDLE_SECONDS = 120;

/**
 * The door for `Bun.serve`, its sockets included.
 *
 * @example
 * ```ts
 * const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
 * const handlers = bunSockets(door);
 * const server = Bun.serve({ port: 0, ...handlers });
 * ```
 */
export function bunSockets(door: ActorHandler): BunHandlers {
  return {
    async fetch(request, server) {
      if (!door.wantsSocket(request)) return door(request);
      const refused = door.refuseSocket(request);
      if (refused !== undefined) return refused;
      // Bun takes the request back once it is a socket.
      const kept = new Request(request.url, { headers: new Headers(request.headers) });
      return server.upgrade(request, { data: { request: kept } }) ? undefined : door(request);
    },
    websocket: {
      data: undefined as unknown as BunSocketData,
      maxPayloadLength: MAX_PAYLOAD_BYTES,
      backpressureLimit: MAX_PAYLOAD_BYTES,
      closeOnBackpressureLimit: true,
      idleTimeout: IDLE_SECONDS,
      open(socket) {
        socket.data.session = door.session(socket.data.request, bunLine(socket));
      },
      message: (socket, data) => socket.data.session?.message(data),
      close: (socket) => socket.data.session?.closed(),
    },
  };
}

/** Bun's. The types that a door is published with know no host of their own. */
declare function setImmediate(task: () => void): void;

/**
 * The line of a socket of Bun. What is sent in one turn of the event loop, as a change to all of a socket's streams, goes out with
 * one write.
 */
export function bunLine(socket: BunSocket): SocketLine {
  let texts: string[] = [];
  const flush = (): void => {
    const some = texts;
    texts = [];
    if (some.length === 1) socket.sendText(some[0] ?? "");
    else if (some.length > 1) socket.cork(() => some.forEach((text) => socket.sendText(text)));
  };
  return {
    send(text) {
      if (texts.push(text) === 1) setImmediate(flush);
    },
    close(code, reason) {
      flush();
      socket.close(code, reason);
    },
    unreadBytes: () => socket.getBufferedAmount(),
  };
}

/** A socket that has closed meanwhile says so by an event as well. */
function ignoringClosed(use: () => void): void {
  try {
    use();
  } catch {
    return;
  }
}
