import { type DocumentDecoration, Elysia } from "elysia";
import { type ActorHandler, actorHandler, type DoorOptions, type DoorTroupe } from "../door/mod.ts";
import { type BunSocket, bunSockets } from "../door/socket-hosts.ts";

/** The OpenAPI operation of a route, as the door describes it. */
export type DoorOperation = Readonly<Record<string, unknown>>;

/** What {@link actorRoutes} is given: what the door is, and what the application adds to it. */
export interface ActorRoutesOptions extends DoorOptions {
  /** The path the routes begin with, as in `/actors`. */
  readonly base: string;
  /** Runs before each request is read. What it throws, or answers, is the answer. Default: nothing. */
  readonly guard?: (request: Request) => Response | void | Promise<Response | void>;
  /** What stands in the application's OpenAPI document for a route. Default: what the door says. */
  readonly describe?: (operation: DoorOperation) => DoorOperation;
  /** Whether there is a route that becomes a socket. Needs `app.listen` of Bun. Default true. */
  readonly socket?: boolean;
}

/** A plugin with a route for each message that is listed; `door` is what answers them. */
export type ActorRoutes = Elysia & { readonly door: ActorHandler };

/** What Elysia calls of the data of a socket. */
interface SocketData {
  open(socket: BunSocket): void;
  message(socket: BunSocket, data: unknown): void;
  close(socket: BunSocket): void;
}

interface Upgrading {
  upgrade(request: Request, options: { data: SocketData }): boolean;
}

/**
 * Actors as a plugin of Elysia: a route for each message that is listed, with its entry in the OpenAPI document, one for each
 * stream, one for batches, and one that becomes a socket.
 *
 * @throws {TypeError} as `actorHandler` does.
 *
 * @example
 * ```ts
 * import { Elysia } from "elysia";
 *
 * const actors = actorRoutes(troupe, {
 *   base: "/actors",
 *   actors: [Counter],
 *   authorize: (_, request) => request.headers.get("authorization") === "Bearer sesame",
 * });
 * const app = new Elysia().use(actors);
 * ```
 */
export function actorRoutes(
  troupe: DoorTroupe | (() => DoorTroupe),
  { guard, describe = (operation) => operation, socket = true, ...options }: ActorRoutesOptions,
): ActorRoutes {
  const door = actorHandler(troupe, options);
  const { base } = options;
  const app = new Elysia({ name: `troupe${base}` });
  const answer = async (request: Request): Promise<Response> => (await guard?.(request)) ?? door(request);

  const { paths } = door.openapi() as { paths: Readonly<Record<string, Readonly<Record<string, DoorOperation>>>> };
  const socketPath = `${base}/socket`;
  for (const [path, operations] of Object.entries(paths)) {
    if (path === socketPath) continue;
    for (const [method, operation] of Object.entries(operations)) {
      app.route(method.toUpperCase(), path.replace("{key}", ":key"), ({ request }) => answer(request), {
        parse: "none",
        detail: describe(operation) as DocumentDecoration,
      });
    }
  }
  if (socket) {
    const { websocket, fetch } = bunSockets(door);
    app.route(
      "GET",
      socketPath,
      async ({ request, server }) => {
        const refused = await guard?.(request);
        if (refused !== undefined) return refused;
        const upgrading = server as unknown as Upgrading | null;
        return fetch(request, {
          // Elysia hands the events of a socket to functions among its data.
          upgrade: (of, { data }) =>
            upgrading?.upgrade(of, {
              data: {
                ...data,
                open: websocket.open,
                message: websocket.message,
                close: websocket.close,
              },
            }) ?? false,
        });
      },
      { parse: "none", detail: describe(paths[socketPath]?.["get"] ?? {}) as DocumentDecoration },
    );
  }
  return Object.assign(app, { door });
}
