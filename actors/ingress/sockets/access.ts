import type { Principal } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";

/** Who is at the other end of a socket, and what they may follow. */
export interface SocketCaller {
  /** Whether the request proved who it comes from. */
  readonly authenticated: boolean;
  /** Whose key it was: the socket ends with it. `undefined`: nobody had to say. */
  readonly principal?: Principal;
  mayFollow(topic: string): boolean;
}

/** Who may open a socket. CORS does not cover sockets, so a browser's page is told by its `Origin` alone. */
export interface SocketAccess {
  /** Origins whose pages may open a socket, compared to the character: `https://shop.example`. */
  readonly origins: () => readonly string[];
  /** Who asks. @throws {Problem} 401. Default: {@link anyone}, for an app that listens on loopback without authentication. */
  readonly authenticate?: (request: Request) => Promise<SocketCaller>;
}

/** Authentication is off: whoever reaches the port may follow everything. */
export const anyone: SocketCaller = { authenticated: false, mayFollow: () => true };

/**
 * The caller of a request that may become a socket.
 *
 * A request without `Origin` is no browser's. It passes where it proves who it comes from, and where nobody has to.
 * @throws {Problem} 403 for the page of another origin; what `authenticate` throws.
 */
export async function admit(request: Request, { origins, authenticate }: SocketAccess): Promise<SocketCaller> {
  const origin = checkOrigin(request, origins());
  if (authenticate === undefined) return anyone;
  const caller = await authenticate(request);
  if (origin === null && !caller.authenticated)
    throw new Problem(403, "origin.missing", "Without a key a socket needs an Origin");
  return caller;
}

/** The origin of the page that asks; `null`: it is no browser's page. @throws {Problem} 403 for one that is not among `origins`. */
export function checkOrigin(request: Request, origins: readonly string[]): string | null {
  const origin = request.headers.get("origin");
  if (origin !== null && !origins.includes(origin))
    throw new Problem(403, "origin.forbidden", "Pages of this origin may not open a socket here");
  return origin;
}

/** The origins of a server on loopback: every name a browser may know it by. */
export function loopbackOrigins(port: number, scheme: "http" | "https" = "http"): readonly string[] {
  return ["localhost", "127.0.0.1", "[::1]"].map((host) => `${scheme}://${host}:${port}`);
}
