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

/** What is kept of one method of one route. */
interface Answers {
  readonly seconds: HttpSeconds & { readonly of: Buckets };
  /** By status. */
  readonly counts: Map<number, HttpCount & { value: number }>;
}

/** Answered requests. What they are counted by comes from closed sets: patterns of routes, known methods, our statuses. */
export class HttpCounts {
  /** By route, then by method. */
  readonly #routes = new Map<string, Map<string, Answers>>();

  /**
   * @param route the pattern; `undefined` where no route took it.
   * @param traceparent the trace of the request.
   */
  answered(route: string | undefined, method: string, status: number, seconds: number, traceparent?: string): void {
    const answers = this.#of(route ?? NO_ROUTE, METHODS.has(method) ? method : "other");
    answers.seconds.of.add(seconds, traceparent, Date.now());
    const count = answers.counts.get(status);
    if (count !== undefined) count.value++;
    else answers.counts.set(status, { ...answers.seconds.labels, status: String(status), value: 1 });
  }

  /** How long answers took, by route and method. */
  *seconds(): Generator<HttpSeconds> {
    for (const methods of this.#routes.values()) for (const { seconds } of methods.values()) yield seconds;
  }

  *counts(): Generator<HttpCount> {
    for (const methods of this.#routes.values()) for (const { counts } of methods.values()) yield* counts.values();
  }

  #of(route: string, method: string): Answers {
    let methods = this.#routes.get(route);
    if (methods === undefined) this.#routes.set(route, (methods = new Map()));
    let answers = methods.get(method);
    if (answers === undefined) {
      answers = { seconds: { labels: { route, method }, of: new Buckets(SECONDS) }, counts: new Map() };
      methods.set(method, answers);
    }
    return answers;
  }
}
