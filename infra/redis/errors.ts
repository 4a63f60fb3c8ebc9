/** Redis cannot be reached, or did not answer in time. Retry later: what was sent may or may not have been written. */
export class RedisUnavailableError extends Error {
  override readonly name = "RedisUnavailableError";
  readonly code = "redis_unavailable";
  readonly retryable = true;
}
