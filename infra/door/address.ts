import { Problem } from "../http/problem.ts";

/** The steps of a path below the door, decoded: `["counter", "visits", "add"]`. */
export type Steps = readonly string[];

/**
 * Reads the path of a request. A key may hold any character, a slash as `%2F`.
 * @param base where the door is mounted, as in `/rpc`; `""` for the root.
 * @throws {Problem} 400 `path.malformed`: an escape that is no UTF-8; 404 where the path is not below `base`.
 */
export function stepsOf(url: string, base: string): Steps {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start < 0 || !url.startsWith(base, start) || url[start + base.length] !== "/") throw nothingHere();
  const path = url.slice(start + base.length + 1, endOfPath(url, start));
  const steps = path.split("/");
  if (!path.includes("%")) return steps;
  try {
    return steps.map(decodeURIComponent);
  } catch (cause) {
    throw new Problem(400, "path.malformed", "The path holds an escape that is not UTF-8", { cause });
  }
}

function endOfPath(url: string, start: number): number {
  const [query, fragment] = [url.indexOf("?", start), url.indexOf("#", start)];
  if (query < 0) return fragment < 0 ? url.length : fragment;
  return fragment < 0 ? query : Math.min(query, fragment);
}

/** What a path that leads nowhere is answered with. */
export function nothingHere(): Problem {
  return new Problem(404, "not_found", "Nothing is here: expected /{type}/{key}/{message} or /{type}/{key}/watch");
}
