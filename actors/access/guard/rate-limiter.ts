/** Requests a second in the long run, and how many may come at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** What became of one request. */
export interface Taken {
  readonly allowed: boolean;
  readonly limit: number;
  /** How many may come right now. */
  readonly left: number;
  /** Whole seconds until one more may come, or where some are left until all may. */
  readonly resetSeconds: number;
}

/** What counts requests by caller. */
export interface Limiter {
  /** Takes one request of `caller` at `nowMs`, on a clock that never goes back. The limit may differ from call to call. */
  take(caller: string, limit: RateLimit, nowMs: number): Taken | Promise<Taken>;
}

interface Bucket {
  left: number;
  at: number;
}

/** Callers remembered at once; who was seen least recently is forgotten, and begins with a full bucket. */
const MAX_CALLERS = 50_000;

/** Token buckets by caller, in memory: each process counts for itself. */
export class RateLimiter implements Limiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #maxCallers: number;

  constructor(maxCallers: number = MAX_CALLERS) {
    this.#maxCallers = maxCallers;
  }

  /** Callers remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  take(caller: string, { perSecond, burst }: RateLimit, nowMs: number): Taken {
    const bucket = this.#bucket(caller, burst, nowMs);
    bucket.left = Math.min(burst, bucket.left + ((nowMs - bucket.at) * perSecond) / 1_000);
    bucket.at = nowMs;
    const allowed = bucket.left >= 1;
    if (allowed) bucket.left--;
    const missing = allowed ? burst - bucket.left : 1 - bucket.left;
    return {
      allowed,
      limit: burst,
      left: Math.floor(bucket.left),
      resetSeconds: Math.max(1, Math.ceil(missing / perSecond)),
    };
  }

  /** A `Map` keeps the order of insertion: taken out and put in again, the least recently seen stands first. */
  #bucket(caller: string, burst: number, nowMs: number): Bucket {
    const bucket = this.#buckets.get(caller) ?? { left: burst, at: nowMs };
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > this.#maxCallers) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
