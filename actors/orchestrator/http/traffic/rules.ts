import { Problem } from "#infra/http/problem.ts";
import type { GatewayRule } from "../../config/messages.ts";

/** Buckets of addresses that are kept; the oldest are forgotten. */
const MAX_BUCKETS = 10_000;

/** The gateway rules of this node: the longest path that fits counts. */
export class Rules {
  #rules: readonly GatewayRule[] = [];
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  get none(): boolean {
    return this.#rules.length === 0;
  }

  set(rules: readonly GatewayRule[]): void {
    this.#rules = rules.toSorted((a, b) => b.path.length - a.path.length);
  }

  find(path: string): GatewayRule | undefined {
    return this.#rules.find((rule) => path === rule.path || path.startsWith(`${rule.path}/`));
  }

  /**
   * Counts a request of an address.
   * @throws {Problem} 429 `gateway.rate_limited` beyond the rule's rate.
   */
  count({ path, rateLimit }: GatewayRule, peer: string | undefined): void {
    if (rateLimit === null) return;
    const key = `${path} ${peer ?? ""}`;
    const now = this.#nowMs();
    const before = this.#buckets.get(key) ?? { tokens: Math.max(1, rateLimit), at: now };
    const tokens = Math.min(Math.max(1, rateLimit), before.tokens + ((now - before.at) / 1_000) * rateLimit);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now });
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value ?? "");
    if (tokens < 1)
      throw new Problem(429, "gateway.rate_limited", `At most ${rateLimit} requests a second are taken here`, {
        retryAfter: Math.max(1, Math.ceil((1 - tokens) / rateLimit)),
      });
  }
}
