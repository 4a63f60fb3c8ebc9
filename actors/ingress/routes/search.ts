import * as v from "valibot";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import { mayUse, principalOf } from "#infra/http/principal.ts";
import type { IngressDeps } from "../deps.ts";
import type { SearchDeps } from "../search/deps.ts";
import { findAll, Missing } from "../search/find.ts";
import { Hit } from "../search/hit.ts";
import { findersOf } from "../search/search.ts";
import { subjectOf } from "../search/subject.ts";

const MOST_LETTERS = 200;

const Query = v.strictObject({
  q: v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1),
    v.maxLength(MOST_LETTERS),
    v.description("An id of anything, or a word"),
  ),
});
const Answer = v.object({
  q: v.string(),
  items: v.pipe(v.array(Hit), v.description("What explains most comes first; at most 10 of a kind")),
  missing: v.pipe(v.array(Missing), v.description("What was not looked at, and why")),
  next: v.null(),
});

type Deps = Pick<IngressDeps, "troupe" | "orders" | "workflows" | "traces" | "log">;

/** One search over everything that has an id. */
export function searchRoutes(deps: Deps, search: SearchDeps) {
  const finders = findersOf(deps, search);
  return endpoints("search", [
    endpoint(
      {
        tag: "System",
        noun: "search",
        scope: "key",
        method: "GET",
        path: "/search",
        summary: "Find anything by any id, or by a word",
        description:
          "An order's id finds the order, its workflows, traces, dead letters, actors, events and log lines; so do the ids of these. A key finds what it is good for: the rest is named in `missing`. It ends within two seconds; what did not answer by then is `unavailable`.",
        query: Query,
        answer: { status: 200, description: "What was found", schema: Answer },
      },
      async ({ request, query: { q } }) => {
        const principal = principalOf(request);
        const found = await findAll(
          subjectOf(q, principal === undefined || mayUse(principal, "admin") ? deps.traces : undefined),
          finders,
          (scope) => principal === undefined || mayUse(principal, scope),
          (kinds, error) => deps.log("warn", "search:unavailable", { kinds, error }),
        );
        return { q, ...found, next: null };
      },
    ),
  ]);
}
