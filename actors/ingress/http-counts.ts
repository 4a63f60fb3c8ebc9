import { Buckets, SECONDS } from "#infra/telemetry/buckets.ts";

/** How many requests of one kind were answered. */
export interface HttpCount {
  readonly route: string;
  readonly method: string;
  readonly status: string;
  readonly value: number;
}

/** The route of a request that has none: its path is the sender's, and would make a series of each. */
const NO_ROUTE = "none";
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Answered requests. What they are counted by comes from closed sets: patterns of routes, known methods, our statuses. */
export class HttpCounts {
  readonly seconds = new Buckets(SECONDS);
  readonly #byRoute = new Map<string, Map<string, HttpCount & { value: number }>>();

  /** @param route the pattern; `undefined` where no route took it. */
  answered(route: string | undefined, method: string, status: number, seconds: number): void {
    this.seconds.add(seconds);
    const kind = `${METHODS.has(method) ? method : "other"} ${status}`;
    const counts = this.#byRoute.get(route ?? NO_ROUTE) ?? new Map<string, HttpCount & { value: number }>();
    this.#byRoute.set(route ?? NO_ROUTE, counts);
    const count = counts.get(kind);
    if (count !== undefined) count.value++;
    else {
      const [shown = "", code = ""] = kind.split(" ");
      counts.set(kind, { route: route ?? NO_ROUTE, method: shown, status: code, value: 1 });
    }
  }

  *counts(): Generator<HttpCount> {
    for (const counts of this.#byRoute.values()) yield* counts.values();
  }
}
