import { stepsOf } from "./address.ts";
import type { Door } from "./core.ts";
import { doorProblem } from "./failure.ts";
import type { SocketLimits } from "./options.ts";
import { SocketSession } from "./session.ts";
import type { DoorSession, SessionHooks, SocketLine } from "./socket-line.ts";

/** The sockets of a door. */
export class DoorSockets {
  readonly door: Door;
  readonly limits: Required<SocketLimits>;
  #open = 0;

  constructor(door: Door, limits: SocketLimits = {}) {
    this.door = door;
    this.limits = {
      max: 10_000,
      maxCalls: 256,
      maxStreams: 100,
      maxUnreadBytes: 1_048_576,
      origins: [],
      ...limits,
    };
  }

  /** Whether a request asks for a socket: `GET /socket` below the door, with `Upgrade: websocket`. */
  wanted(request: Request): boolean {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return false;
    try {
      const steps = stepsOf(request.url, this.door.base);
      return steps.length === 1 && steps[0] === "socket";
    } catch {
      return false;
    }
  }

  /** @throws {Problem} the origin of a page that may not, or no room. */
  admit(request: Request): void {
    const origin = request.headers.get("origin");
    // Browsers ask nobody before they open a socket to another origin, and send its cookies along.
    if (origin !== null && !this.limits.origins.includes(origin) && !isOwn(origin, request)) {
      throw doorProblem("origin.forbidden", "Pages of this origin open no sockets here");
    }
    if (this.#open >= this.limits.max) {
      throw doorProblem("sockets.full", "Too many sockets are open: try again", { retryAfter: 1 });
    }
  }

  begin(request: Request, line: SocketLine, hooks?: SessionHooks): DoorSession {
    this.#open++;
    return new SocketSession(this.door, this.limits, request, line, () => this.#open--, hooks);
  }
}

function isOwn(origin: string, request: Request): boolean {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return origin === `https://${host}` || origin === `http://${host}`;
}
