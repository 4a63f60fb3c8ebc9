/**
 * The sockets of this process at `/rpc/socket`: calls and streams of the typed door.
 *
 * Owns: who gets one, how many there are, whose key each has by now. Does not own: the frames (`infra/door/session.ts`), which keys
 * are good (`Guard`), when they are reviewed (`KeyWatch`).
 *
 * R1 A page of another origin opens none, whatever it knows. Who shows a bad key or ticket gets none; who shows none at all has
 *    {@link NAME_WITHIN_MS} to name itself in a frame, and until then every call is answered 401.
 * R2 Each call, stream and message counts against the rate of its address and its key, as a request does.
 * R3 A socket ends with the key that it has by now, and with its scope.
 */
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import type { TicketHolder } from "#actors/access/ticket/messages.ts";
import type { ActorHandler, DoorSession } from "#infra/door/mod.ts";
import { bunLine } from "#infra/door/socket-hosts.ts";
import { identify, mayUse, type Principal } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";
import { targetOf } from "#infra/http/target.ts";
import type { Log } from "#runtime";
import type { Guard } from "../../access/guard/guard.ts";
import { RPC_ACCESS } from "../routes/rpc.ts";
import { checkOrigin } from "./access.ts";
import { socketCaller } from "./callers.ts";
import { endWithoutKey, upgraded } from "./keyed-sockets.ts";
import { CLOSE } from "./session.ts";

export interface RpcSocketsOptions {
  readonly door: ActorHandler;
  readonly guard: Guard;
  /** Origins whose pages may open one, compared to the character. */
  readonly origins: () => readonly string[];
  /** Takes a ticket; `null` where there is none that is good. */
  readonly redeem: (key: string) => Promise<TicketHolder | null>;
  readonly log: Log;
  readonly limits?: Partial<RpcSocketLimits>;
}

export interface RpcSocketLimits {
  /** Sockets of this process. */
  readonly maxSockets: number;
  /** Those of them that belong to one key. */
  readonly maxPerKey: number;
  /** Those of them that have not said whose they are. */
  readonly maxUnnamed: number;
  /** Milliseconds until they have to. */
  readonly nameWithinMs: number;
}

const NAME_WITHIN_MS = 5_000;

/** @default 10,000 sockets, 1,000 of one key; 256 that have yet to say whose they are, for 5 s */
const LIMITS: RpcSocketLimits = {
  maxSockets: 10_000,
  maxPerKey: 1_000,
  maxUnnamed: 256,
  nameWithinMs: NAME_WITHIN_MS,
};

/** The sockets of the typed door. */
export interface RpcSockets {
  readonly open: number;
  /** The handlers of a server that has these sockets and others. */
  beside<Other>(other: WebSocketHandler<Other>): WebSocketHandler<Other | RpcSocket>;
  /** Makes a socket of a request; `undefined`: it is one now. Any other outcome is a problem. */
  upgrade(request: Request, server: Server<RpcSocket>): Promise<Response | undefined>;
  /** As that of `Sockets`. */
  review(good: ((who: Principal) => boolean) | undefined): void;
  /** Closes all with 1001, and refuses new ones. */
  close(): void;
}

/** One socket. */
export class RpcSocket {
  /** What stands for the request that opened it. */
  readonly request: Request;
  principal: Principal | undefined;
  session: DoorSession | undefined;
  socket: ServerWebSocket<RpcSocket> | undefined;
  unnamed: ReturnType<typeof setTimeout> | undefined;

  constructor(request: Request, principal: Principal | undefined) {
    this.request = request;
    this.principal = principal;
  }

  end(code: number, reason: string): void {
    this.socket?.close(code, reason);
  }
}

export function createRpcSockets({ door, guard, origins, redeem, log, limits: given }: RpcSocketsOptions): RpcSockets {
  const limits = { ...LIMITS, ...given };
  const all = new Set<RpcSocket>();
  let closing = false;

  /** How many sockets each key has, and how many have none yet: only those that have one. */
  const counts = new Map<string | undefined, number>();
  const ofKey = (keyId: string | undefined): number => counts.get(keyId) ?? 0;

  function count(principal: Principal | undefined, by: 1 | -1): void {
    const sum = ofKey(principal?.keyId) + by;
    if (sum > 0) counts.set(principal?.keyId, sum);
    else counts.delete(principal?.keyId);
  }

  /** RpcSockets.R1 */
  async function callerOf(request: Request): Promise<Principal | undefined> {
    checkOrigin(request, origins());
    const named = request.headers.has("authorization") || /(?:^|&)ticket=/u.test(targetOf(request).query);
    if (!guard.keysOff && named) return mayCall((await socketCaller(request, guard, redeem)).principal);
    await guard.countAddress(request);
    return undefined;
  }

  async function open(request: Request, server: Server<RpcSocket>): Promise<void> {
    const principal = await callerOf(request);
    if (closing) throw new Problem(503, "stopping", "This process is shutting down", { retryAfter: 1 });
    const needsName = principal === undefined && !guard.keysOff;
    if (all.size >= limits.maxSockets || (needsName && ofKey(undefined) >= limits.maxUnnamed))
      throw new Problem(503, "sockets.full", "There are too many sockets already", { retryAfter: 5 });
    if (principal !== undefined && ofKey(principal.keyId) >= limits.maxPerKey) throw tooMany(limits);
    // The server takes the request back once it is a socket.
    const kept = new Request(request.url, { headers: new Headers(request.headers) });
    guard.standIn(kept, request);
    const data = new RpcSocket(kept, principal);
    if (principal !== undefined) identify(kept, principal);
    if (needsName) data.unnamed = setTimeout(() => data.end(CLOSE.keyEnded, "A key is needed"), limits.nameWithinMs);
    // Counted before the handshake ends: many at once must not pass the bound together.
    all.add(data);
    count(principal, 1);
    if (server.upgrade(request, { data })) return;
    remove(data);
    throw new Problem(400, "handshake.malformed", "The WebSocket handshake is not complete");
  }

  function remove(data: RpcSocket): void {
    clearTimeout(data.unnamed);
    if (all.delete(data)) count(data.principal, -1);
  }

  /** Its client says in a frame whose key it has. */
  async function name(data: RpcSocket, token: string | undefined): Promise<Request | undefined> {
    if (guard.keysOff) return data.request;
    const principal = token === undefined ? undefined : await guard.holderOf(token);
    if (principal === undefined || !mayUse(principal, RPC_ACCESS)) return undefined;
    if (principal.keyId !== data.principal?.keyId && ofKey(principal.keyId) >= limits.maxPerKey) throw tooMany(limits);
    if (!all.has(data)) return undefined; // it was closed meanwhile
    clearTimeout(data.unnamed);
    count(data.principal, -1);
    count(principal, 1);
    data.principal = principal;
    identify(data.request, principal);
    return data.request;
  }

  return {
    get open() {
      return all.size;
    },
    upgrade: (request, server) => upgraded(request, log, () => open(request, server)),
    review: (good) => endWithoutKey(all, good), // RpcSockets.R3
    close() {
      closing = true;
      door.close();
    },
    beside: (other) =>
      besideHandlers(other, {
        open(socket) {
          const { data } = socket;
          data.socket = socket;
          data.session = door.session(data.request, bunLine(socket as never), {
            name: (token) => name(data, token),
            said: () => guard.countCall(data.request), // RpcSockets.R2
          });
          if (closing) data.end(CLOSE.goingAway, "Going away");
        },
        message: ({ data }, frame) => data.session?.message(frame),
        close({ data }) {
          remove(data);
          data.session?.closed();
        },
      }),
  };
}

/** @throws {Problem} 403 for a key that is not good for the door. */
function mayCall(principal: Principal | undefined): Principal | undefined {
  if (principal === undefined || mayUse(principal, RPC_ACCESS)) return principal;
  throw new Problem(403, "scope.missing", `This needs a key with the scope ${RPC_ACCESS}`);
}

function tooMany({ maxPerKey }: RpcSocketLimits): Problem {
  return new Problem(429, "sockets.too_many", `This key has ${maxPerKey} sockets here already`, { retryAfter: 5 });
}

interface OwnHandlers {
  open(socket: ServerWebSocket<RpcSocket>): void;
  message(socket: ServerWebSocket<RpcSocket>, frame: string | Buffer): void;
  close(socket: ServerWebSocket<RpcSocket>): void;
}

/** The handlers of a server whose sockets are those of the door or something else. */
function besideHandlers<Other>(other: WebSocketHandler<Other>, own: OwnHandlers): WebSocketHandler<Other | RpcSocket> {
  const mine = (ws: ServerWebSocket<Other | RpcSocket>): ws is ServerWebSocket<RpcSocket> =>
    ws.data instanceof RpcSocket;
  const theirs = (ws: ServerWebSocket<Other | RpcSocket>) => ws as ServerWebSocket<Other>;
  return {
    ...(other as WebSocketHandler<Other | RpcSocket>),
    open: (ws) => (mine(ws) ? own.open(ws) : other.open?.(theirs(ws))),
    message: (ws, data) => (mine(ws) ? own.message(ws, data) : other.message?.(theirs(ws), data)),
    close: (ws, code, reason) => (mine(ws) ? own.close(ws) : other.close?.(theirs(ws), code, reason)),
    drain: (ws) => (mine(ws) ? undefined : other.drain?.(theirs(ws))),
    ping: (ws, data) => (mine(ws) ? undefined : other.ping?.(theirs(ws), data)),
    pong: (ws, data) => (mine(ws) ? undefined : other.pong?.(theirs(ws), data)),
  };
}
