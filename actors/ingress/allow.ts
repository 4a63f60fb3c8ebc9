import type { MountedRoute } from "#infra/http/openapi.ts";

/** The methods a path answers to, in the order of mounting; empty where there is no such path. */
export type Allowed = (pathname: string) => readonly string[];

/**
 * Reads the mounted routes into a table of methods by path. `GET` brings `HEAD`, and any method brings `OPTIONS`.
 * Only asked for requests that no route took: it need not be fast.
 */
export function allowedMethods(routes: readonly MountedRoute[]): Allowed {
  const table = routes.map(({ method, path }) => ({ method, pattern: patternOf(path) }));
  return (pathname) => {
    const methods = new Set<string>();
    for (const { method, pattern } of table) {
      // A route for all methods that did not take this one says no more about it than no route.
      if (method === "ALL" || method === "WS" || !pattern.test(pathname)) continue;
      methods.add(method);
      if (method === "GET") methods.add("HEAD");
    }
    if (methods.size > 0) methods.add("OPTIONS");
    return [...methods];
  };
}

function patternOf(path: string): RegExp {
  const source = path
    .split("/")
    .filter((part) => part !== "")
    .map((part) => {
      if (part === "*") return "/.*";
      if (part.startsWith(":")) return part.endsWith("?") ? "(?:/[^/]+)?" : "/[^/]+";
      return `/${part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`;
    })
    .join("");
  return new RegExp(`^${source}/?$`);
}
