import { actorRoutes } from "#infra/elysia/mod.ts";
import { ACCESS } from "#infra/http/access.ts";
import { MAX_BODY_BYTES } from "#infra/http/body.ts";
import { KEY_SECURITY } from "#infra/http/operation.ts";
import { principalOf } from "#infra/http/principal.ts";
import type { AnyActorType } from "#runtime";
import type { IngressDeps } from "../deps.ts";

/** Where the typed door stands. */
const BASE = "/rpc";

/**
 * The typed door: each message of the listed actors is a route of its own, `POST /rpc/{type}/{key}/{message}`, and so is the
 * stream of its states. For `admin` alone: an actor's messages are made for its own product, which checks more before it
 * sends them.
 */
export function rpcRoutes({ troupe, log }: Pick<IngressDeps, "troupe" | "log">, actors: readonly AnyActorType[]) {
  return actorRoutes(troupe, {
    actors,
    base: BASE,
    maxBodyBytes: MAX_BODY_BYTES,
    refusalData: false,
    log,
    // The guard has admitted the request already.
    authorize: (_, request) => {
      const caller = principalOf(request)?.keyId;
      return caller === undefined ? true : { caller };
    },
    describe: (operation) => ({ ...operation, [ACCESS]: "admin", security: [{ [KEY_SECURITY]: ["admin"] }] }),
    // The guard counts requests, and closes sockets whose key has ended: it knows neither a batch nor a socket of the door.
    maxBatch: 0,
    socket: false,
  });
}
