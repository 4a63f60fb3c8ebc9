/**
 * The sockets of this process at `/ws`: the handshake, the bounds, the end.
 *
 * Owns: who gets a socket, how many there are, the limits of frames. Does not own: what is said on one (`Session`).
 * Elysia's own sockets are passed by: a refusal here is a problem like any other, and each limit is set in sight.
 */
import type { Server, WebSocketHandler } from "bun";
import type { Principal } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";
import type { Log, Topics } from "#runtime";
import { admit, type SocketAccess } from "./access.ts";
import { endWithoutKey, upgraded } from "./keyed-sockets.ts";
import { CLOSE, Session, type SessionLimits } from "./session.ts";

export interface SocketLimits extends SessionLimits {
  /** Sockets of this process. */
  readonly maxSockets: number;
  /** Sockets of one key at this process, opened with it or with its tickets. */
  readonly maxPerKey: number;
}

/** @default 20,000 sockets, 1,000 of one key; each 100 topics, 20 messages a second with 100 at once, 30 s without reading */
export const SOCKET_LIMITS: SocketLimits = {
  maxSockets: 20_000,
  maxPerKey: 1_000,
  maxTopics: 100,
  messagesPerSecond: 20,
  messageBurst: 100,
  stallMs: 30_000,
};

/** Bytes of a frame from a client: a larger one closes the socket with 1009. */
const MAX_FRAME_BYTES = 64 * 1024;
/** A session writes no more once a frame does not go out; this bound only holds should it ever. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Seconds of silence after which a client that answers no ping is gone. */
const IDLE_SECONDS = 30;

export interface SocketsOptions {
  /** @throws {Problem} 503 while there are none. */
  readonly topics: () => Pick<Topics, "subscribe">;
  readonly access: SocketAccess;
  readonly log: Log;
  readonly limits?: Partial<SocketLimits>;
}

export interface Sockets {
  /** For `Bun.serve`. */
  readonly websocket: WebSocketHandler<Session>;
  /** How many are open. */
  readonly open: number;
  /** Makes a socket of a request to {@link SOCKET_PATH}; `undefined`: it is one now. Any other outcome is a problem. */
  upgrade(request: Request, server: Server<Session>): Promise<Response | undefined>;
  /**
   * Closes those whose key is no longer good, with 1008; where that cannot be told (`undefined`), every one that was opened
   * with a key, with 1013.
   */
  review(good: ((who: Principal) => boolean) | undefined): void;
  /** Closes all with 1001, and refuses new ones: their clients go on at another process. */
  close(): void;
}

/** Where sockets are opened. */
export const SOCKET_PATH = "/ws";

export function createSockets({ topics, access, log, limits: given }: SocketsOptions): Sockets {
  const limits = { ...SOCKET_LIMITS, ...given };
  const sessions = new Set<Session>();
  /** How many sockets each key has: only keys that have one. */
  const perKey = new Map<string, number>();
  let closing = false;

  const ofKey = (keyId: string): number => perKey.get(keyId) ?? 0;

  function add(session: Session): void {
    sessions.add(session);
    const keyId = session.principal?.keyId;
    if (keyId !== undefined) perKey.set(keyId, ofKey(keyId) + 1);
  }

  function remove(session: Session): void {
    const keyId = session.principal?.keyId;
    if (!sessions.delete(session) || keyId === undefined) return;
    const left = ofKey(keyId) - 1;
    if (left > 0) perKey.set(keyId, left);
    else perKey.delete(keyId);
  }

  async function open(request: Request, server: Server<Session>): Promise<void> {
    if (request.method !== "GET")
      throw new Problem(405, "method_not_allowed", "Only GET is allowed here", { headers: { allow: "GET" } });
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      throw new Problem(426, "upgrade_required", "This is a WebSocket: ask for an upgrade", {
        headers: { upgrade: "websocket", connection: "Upgrade" },
      });
    const caller = await admit(request, access);
    if (closing) throw new Problem(503, "stopping", "This process is shutting down", { retryAfter: 1 });
    if (sessions.size >= limits.maxSockets)
      throw new Problem(503, "sockets.full", `There are ${limits.maxSockets} sockets already`, { retryAfter: 5 });
    const keyId = caller.principal?.keyId;
    if (keyId !== undefined && ofKey(keyId) >= limits.maxPerKey)
      throw new Problem(429, "sockets.too_many", `This key has ${limits.maxPerKey} sockets here already`, {
        retryAfter: 5,
      });
    const session = new Session({ topics, caller, limits, log });
    // Counted before the handshake ends: many at once must not pass the bound together.
    add(session);
    if (server.upgrade(request, { data: session })) return;
    remove(session);
    throw new Problem(400, "handshake.malformed", "The WebSocket handshake is not complete");
  }

  return {
    get open() {
      return sessions.size;
    },
    upgrade: (request, server) => upgraded(request, log, () => open(request, server)),
    review: (good) => endWithoutKey(sessions, good),
    close() {
      closing = true;
      for (const session of sessions) session.end(CLOSE.goingAway, "Going away: resume after the last id");
    },
    websocket: {
      maxPayloadLength: MAX_FRAME_BYTES,
      backpressureLimit: MAX_BUFFERED_BYTES,
      closeOnBackpressureLimit: true,
      idleTimeout: IDLE_SECONDS,
      sendPings: true,
      perMessageDeflate: false,
      open(socket) {
        socket.data.opened(socket);
        if (closing) socket.data.end(CLOSE.goingAway, "Going away");
      },
      message: (socket, frame) => socket.data.received(frame),
      drain: (socket) => socket.data.drained(),
      close(socket) {
        remove(socket.data);
        socket.data.closed();
      },
    },
  };
}
