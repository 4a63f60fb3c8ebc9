import { type DocumentDecoration, Elysia } from "elysia";
import { actorHandler } from "#infra/door/mod.ts";
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
  const door = actorHandler(troupe, {
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
  });
  const app = new Elysia({ name: "rpc" });
  const { paths } = door.openapi() as { paths: Record<string, Record<string, object>> };
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const detail = { ...operation, [ACCESS]: "admin", security: [{ [KEY_SECURITY]: ["admin"] }] };
      app.route(method.toUpperCase(), path.replace("{key}", ":key"), ({ request }) => door(request), {
        parse: "none",
        detail: detail as DocumentDecoration,
      });
    }
  }
  return app;
}
