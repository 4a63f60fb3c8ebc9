import { Buckets, SECONDS } from "#infra/telemetry/buckets.ts";
import type { Distribution } from "#runtime";

/** How many requests of one kind were answered. */
export interface HttpCount {
  readonly route: string;
  readonly method: string;
  readonly status: string;
  readonly value: number;
}

/** How long the answers of one route took. */
export interface HttpSeconds {
  readonly labels: { readonly route: string; readonly method: string };
  readonly of: Distribution;
}

/** The route of a request that has none: its path is the sender's, and would make a series of each. */
const NO_ROUTE = "none";
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Answered requests. What they are counted by comes from closed sets: patterns of routes, known methods, our statuses. */
export class HttpCounts {
  readonly #seconds = new Map<string, HttpSeconds & { readonly of: Buckets }>();
  readonly #byRoute = new Map<string, Map<string, HttpCount & { value: number }>>();

  /**
   * @param route the pattern; `undefined` where no route took it.
   * @param traceparent the trace of the request.
   */
  answered(route: string | undefined, method: string, status: number, seconds: number, traceparent?: string): void {
    const known = METHODS.has(method) ? method : "other";
    this.#timesOf(route ?? NO_ROUTE, known).add(seconds, traceparent, Date.now());
    const kind = `${known} ${status}`;
    const counts = this.#byRoute.get(route ?? NO_ROUTE) ?? new Map<string, HttpCount & { value: number }>();
    this.#byRoute.set(route ?? NO_ROUTE, counts);
    const count = counts.get(kind);
    if (count !== undefined) count.value++;
    else {
      const [shown = "", code = ""] = kind.split(" ");
      counts.set(kind, { route: route ?? NO_ROUTE, method: shown, status: code, value: 1 });
    }
  }

  /** How long answers took, by route and method. */
  seconds(): Iterable<HttpSeconds> {
    return this.#seconds.values();
  }

  #timesOf(route: string, method: string): Buckets {
    const name = `${method} ${route}`;
    const known = this.#seconds.get(name);
    if (known !== undefined) return known.of;
    const of = new Buckets(SECONDS);
    this.#seconds.set(name, { labels: { route, method }, of });
    return of;
  }

  *counts(): Generator<HttpCount> {
    for (const counts of this.#byRoute.values()) yield* counts.values();
  }
}
