import { type ActorRoutes, actorRoutes } from "#infra/elysia/mod.ts";
import { ACCESS } from "#infra/http/access.ts";
import { MAX_BODY_BYTES } from "#infra/http/body.ts";
import { KEY_SECURITY } from "#infra/http/operation.ts";
import { mayUse, principalOf } from "#infra/http/principal.ts";
import type { AnyActorType } from "#runtime";
import type { IngressDeps } from "../deps.ts";

/** Where the typed door stands. */
const BASE = "/rpc";

/** Where it opens sockets. */
export const RPC_SOCKET_PATH = `${BASE}/socket`;

/** Who may call the door: an actor's messages are made for its own product, which checks more before it sends them. */
export const RPC_ACCESS = "admin";

/**
 * The typed door: each message of the listed actors is a route of its own, `POST /rpc/{type}/{key}/{message}`, and so is the
 * stream of its states; `POST /rpc/batch` carries several calls, and `/rpc/socket` (`sockets/rpc-sockets.ts`) calls and streams.
 * For {@link RPC_ACCESS} alone. Each call counts against the rate, however it comes.
 */
export function rpcRoutes(
  { troupe, log, guard }: Pick<IngressDeps, "troupe" | "log" | "guard">,
  actors: readonly AnyActorType[],
): ActorRoutes {
  return actorRoutes(troupe, {
    actors,
    base: BASE,
    maxBodyBytes: MAX_BODY_BYTES,
    refusalData: false,
    log,
    // The guard has admitted a request already, and a socket says in its frames who asks.
    authorize(_, request) {
      const counted = guard?.countCall(request);
      return counted === undefined ? verdict(request) : counted.then(() => verdict(request));
    },
    describe: (operation) => ({ ...operation, [ACCESS]: RPC_ACCESS, security: [{ [KEY_SECURITY]: [RPC_ACCESS] }] }),
  });

  function verdict(request: Request) {
    if (guard?.keysOff ?? true) return true;
    const principal = principalOf(request);
    if (principal === undefined) return "unauthenticated" as const;
    return mayUse(principal, RPC_ACCESS) && { caller: principal.keyId };
  }
}
