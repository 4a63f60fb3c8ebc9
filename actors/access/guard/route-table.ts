import { SCOPES } from "#actors/access/keyring/messages.ts";
import { type Access, ACCESS } from "#infra/http/access.ts";
import type { MountedRoute } from "#infra/http/openapi.ts";

/** A route as the guard knows it. */
export interface GuardedRoute {
  /** Its pattern, as in `/orders/:id`. */
  readonly route: string;
  readonly access: Access;
}

interface Node {
  readonly fixed: Map<string, Node>;
  param: Node | undefined;
  /** Below it everything is of one route. */
  rest: Map<string, GuardedRoute> | undefined;
  readonly routes: Map<string, GuardedRoute>;
}

/**
 * The mounted routes by method and path, so that who may use one is known before anything of the request is read.
 *
 * A route that does not say who may use it is for `admin`: forgetting it opens nothing.
 */
export class RouteTable {
  readonly #root = newNode();
  /** The routes without parameters by their path, which most requests have to the letter. */
  readonly #exact = new Map<string, Map<string, GuardedRoute>>();

  constructor(routes: readonly MountedRoute[]) {
    for (const { method, path, hooks } of routes) this.#add(method, path, accessIn(hooks));
  }

  /** The route of a request; `undefined` where there is none. `HEAD` is served by the route of `GET`. */
  find(method: string, pathname: string): GuardedRoute | undefined {
    const served = method === "HEAD" ? "GET" : method;
    const exact = this.#exact.get(pathname)?.get(served);
    return exact ?? search(this.#root, partsOf(pathname), 0, served);
  }

  #add(method: string, path: string, access: Access): void {
    const route = { route: path, access };
    if (!/[:*]/.test(path)) {
      const byMethod = this.#exact.get(path) ?? new Map<string, GuardedRoute>();
      this.#exact.set(path, byMethod.set(method, route));
    }
    let node = this.#root;
    for (const part of partsOf(path)) {
      if (part === "*") {
        (node.rest ??= new Map()).set(method, route);
        return;
      }
      if (part.startsWith(":")) node = node.param ??= newNode();
      else {
        const next = node.fixed.get(part) ?? newNode();
        node.fixed.set(part, next);
        node = next;
      }
    }
    node.routes.set(method, route);
  }
}

/** The path of a URL as it was sent, without query. */
export function pathIn(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start < 0) return "/";
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

function search(node: Node, parts: readonly string[], at: number, method: string): GuardedRoute | undefined {
  if (at === parts.length) {
    const found = of(node.routes, method);
    if (found !== undefined) return found;
  } else {
    const part = parts[at] as string;
    const fixed = node.fixed.get(part);
    const found =
      (fixed && search(fixed, parts, at + 1, method)) ??
      (node.param && part !== "" ? search(node.param, parts, at + 1, method) : undefined);
    if (found !== undefined) return found;
  }
  return node.rest && of(node.rest, method);
}

function of(routes: ReadonlyMap<string, GuardedRoute>, method: string): GuardedRoute | undefined {
  return routes.get(method) ?? routes.get("ALL");
}

/** The parts between slashes. One slash at the end makes no difference, as it makes none to the router. */
function partsOf(path: string): string[] {
  const parts = path.split("/").slice(1);
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

function newNode(): Node {
  return { fixed: new Map(), param: undefined, rest: undefined, routes: new Map() };
}

function accessIn(hooks: MountedRoute["hooks"]): Access {
  const said = (hooks?.["detail"] as Record<string, unknown> | undefined)?.[ACCESS];
  return said === "open" || said === "key" ? said : (SCOPES.find((scope) => scope === said) ?? "admin");
}
