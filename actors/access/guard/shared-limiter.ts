/**
 * A limit that several processes hold together, and each for itself while they cannot.
 *
 * Owns: whether the shared buckets are asked. Does not own: them (`SharedBuckets`), nor what a limit is counted by (`Guard`).
 * Calls in: `take`. Calls out: `SharedBuckets.take`.
 *
 * H1 A request waits for the shared buckets for `waitMs` at most; then the answer is this process's own.
 * H2 This process's own bucket is asked first: what it alone knows to be too much costs the others nothing, and it is
 *    never full of requests that were counted elsewhere only.
 * H3 Where nothing but failures comes for a while this process counts alone. It says so once, and once when that is over.
 * H4 Meanwhile one request in `againMs` asks anew: it gets back by itself.
 */
import type { Log } from "#runtime";
import { type Limiter, type RateLimit, RateLimiter, type Taken } from "./rate-limiter.ts";

/** Buckets that other processes take from, too. */
export interface SharedBuckets {
  take(
    bucket: string,
    limit: RateLimit,
  ): Promise<{ readonly allowed: boolean; readonly left: number; readonly resetMs: number }>;
}

export interface SharedLimiterOptions {
  readonly buckets: SharedBuckets;
  readonly log: Log;
  /** Milliseconds. @default 5 */
  readonly waitMs?: number;
  /** Milliseconds. @default 1_000 */
  readonly againMs?: number;
}

/** What ends the asking: so many failures without an answer between them, over so many milliseconds. A burst that was late says little. */
const ALONE_AFTER = { failures: 3, ms: 1_000 };

type State =
  | { readonly kind: "together"; failures: number; firstAt: number }
  | { readonly kind: "alone"; askAt: number };
const together = (): State => ({ kind: "together", failures: 0, firstAt: 0 });

export class SharedLimiter implements Limiter {
  readonly #options: Required<SharedLimiterOptions>;
  readonly #own = new RateLimiter();
  #state = together();

  constructor({ buckets, log, waitMs = 5, againMs = 1_000 }: SharedLimiterOptions) {
    this.#options = { buckets, log, waitMs, againMs };
  }

  take(caller: string, limit: RateLimit, nowMs: number): Taken | Promise<Taken> {
    const own = this.#own.take(caller, limit, nowMs);
    return own.allowed && this.#asks(nowMs) ? this.#ask(caller, limit, nowMs, own) : own; // SharedLimiter.H2
  }

  #asks(nowMs: number): boolean {
    const state = this.#state;
    if (state.kind === "together") return true;
    if (nowMs < state.askAt) return false;
    state.askAt = nowMs + this.#options.againMs; // SharedLimiter.H4
    return true;
  }

  async #ask(caller: string, limit: RateLimit, nowMs: number, own: Taken): Promise<Taken> {
    try {
      const { allowed, left, resetMs } = await this.#inTime(this.#options.buckets.take(caller, limit));
      this.#answered();
      const resetSeconds = Math.max(1, Math.ceil(resetMs / 1_000));
      return { allowed, limit: limit.burst, left: Math.min(left, own.left), resetSeconds };
    } catch (error) {
      this.#failed(nowMs, error);
      return own;
    }
  }

  /** SharedLimiter.H1 */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const giveUp = (): void => reject(new Error(`no answer within ${this.#options.waitMs} ms`));
      // What has arrived while this thread was busy is read first.
      timer = setTimeout(() => setImmediate(giveUp), this.#options.waitMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #answered(): void {
    if (this.#state.kind === "alone") this.#options.log("info", "rates:shared");
    if (this.#state.kind === "alone" || this.#state.failures > 0) this.#state = together();
  }

  #failed(nowMs: number, error: unknown): void {
    const state = this.#state;
    if (state.kind === "alone") return;
    if (state.failures++ === 0) state.firstAt = nowMs;
    if (state.failures < ALONE_AFTER.failures || nowMs - state.firstAt < ALONE_AFTER.ms) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log("warn", "rates:alone", { reason, means: "each process counts requests for itself" }); // SharedLimiter.H3
    this.#state = { kind: "alone", askAt: nowMs + this.#options.againMs };
  }
}
