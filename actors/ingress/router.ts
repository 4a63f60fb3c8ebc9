/**
 * The one match of a request with a route.
 *
 * Every route is mounted behind a gate of its own: what the router found, and nothing else, is what the gate knows the route
 * and its access of. There is no second table that could find another route than the one that runs.
 *
 * Elysia looks for the path behind the eleventh character of the URL, where a host of three letters has ended before. So
 * it is shown a stand-in for the requests of such hosts; handlers and everybody else see the request that came.
 */
import { type AnyElysia, type DocumentDecoration, Elysia } from "elysia";
import { type Access, accessOf } from "#infra/http/access.ts";
import type { MountedRoute } from "#infra/http/openapi.ts";
import { targetOf } from "#infra/http/target.ts";

/** What {@link createRouter} calls. */
export interface RouterHooks {
  /** Before a handler runs. What it throws, or rejects with, is the outcome instead. */
  readonly enter: (request: Request, access: Access) => Promise<void> | undefined;
  /** Answers a request that no route took. */
  readonly unrouted: (request: Request) => Promise<Response>;
  /** Answers for what was thrown. */
  readonly failed: (request: Request, code: string | number, error: unknown) => Promise<Response>;
}

/** Mounted routes, behind their gates. */
export interface Router {
  readonly routes: readonly MountedRoute[];
  /** Answers a request by its route. @param method another than its own: `HEAD` is answered by the route of `GET`. */
  fetch(request: Request, method?: string): Response | Promise<Response>;
  /** The methods a path answers to; empty where there is no such path. `GET` brings `HEAD`, and any method `OPTIONS`. */
  methodsAt(path: string): string[];
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** The first character that Elysia takes for one of the path. */
const PATH_FROM = 11;

const ARRIVED = Symbol("arrived");
const ROUTE = Symbol("route");
type Seen = Request & { [ARRIVED]?: Request; [ROUTE]?: string };

/** The pattern of the route that took a request, as in `/orders/:id`; `undefined` where none did. */
export function routeOf(request: Request): string | undefined {
  return (request as Seen)[ROUTE];
}

/** Mounts the routes of `plugins`. Their own hooks do not come along: a gate and a handler is all that a route has. */
export function createRouter(plugins: readonly AnyElysia[], { enter, unrouted, failed }: RouterHooks): Router {
  const app: AnyElysia = new Elysia({ name: "ingress" }).onError(async ({ request: seen, code, error }) => {
    const request = arrived(seen);
    if (code !== "NOT_FOUND" || routeOf(request) !== undefined) return failed(request, code, error);
    try {
      return await unrouted(request);
    } catch (refusal) {
      return failed(request, "UNKNOWN", refusal);
    }
  });

  /** The methods of a route without parameters: at its path no route with parameters answers. */
  function fixedMethods(path: string): object | undefined {
    const { static: fixed } = app.router;
    return fixed[path] ?? fixed[path.endsWith("/") ? path.slice(0, -1) : `${path}/`];
  }

  for (const { method, path, handler, hooks } of plugins.flatMap((plugin) => plugin.routes)) {
    const access = accessOf(hooks as Readonly<Record<string, unknown>>);
    const run = handler as (context: { request: Request; params: Readonly<Record<string, string>> }) => unknown;
    const isFixed = !/[:*]/.test(path);
    const detail = (hooks as { detail?: DocumentDecoration }).detail ?? {};
    app.route(
      method,
      path,
      ({ request: seen, params }) => {
        const request = arrived(seen);
        if (!isFixed && fixedMethods(targetOf(request).path) !== undefined) return unrouted(request);
        (request as Seen)[ROUTE] = path;
        const entering = enter(request, access);
        const context = { request, params };
        return entering === undefined ? run(context) : entering.then(() => run(context));
      },
      { parse: "none", detail },
    );
  }

  return {
    routes: app.routes,
    fetch: (request, method = request.method) => app.fetch(standInFor(request, method)),
    methodsAt(path) {
      const fixed = fixedMethods(path);
      const methods = METHODS.filter((method) =>
        fixed === undefined ? app.router.http.find(method, path) !== null : method in fixed,
      );
      if (methods[0] === "GET") methods.splice(1, 0, "HEAD");
      return methods.length === 0 ? [] : [...methods, "OPTIONS"];
    },
  };
}

function arrived(seen: Seen): Request {
  return seen[ARRIVED] ?? seen;
}

/** The request, or where Elysia would read its address or method otherwise than we do, what it reads instead. */
function standInFor(request: Request, method: string): Request {
  const { path, query } = targetOf(request);
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (method === request.method && start >= PATH_FROM) return request;
  const shown = { url: `http://ingress${path}${query === "" ? "" : `?${query}`}`, method, headers: request.headers };
  return { ...shown, [ARRIVED]: request } as unknown as Request;
}
