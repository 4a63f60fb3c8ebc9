/** RabbitMQ cannot be reached, or did not answer in time. Retry later: what was sent may or may not have been taken. */
export class RabbitMqUnavailableError extends Error {
  override readonly name: string = "RabbitMqUnavailableError";
  readonly code: string = "rabbitmq_unavailable";
  readonly retryable = true;
}

/** RabbitMQ takes nothing from publishers now, as one of its alarms is on. What was sent waits there, unconfirmed. */
export class RabbitMqBlockedError extends RabbitMqUnavailableError {
  override readonly name = "RabbitMqBlockedError";
  override readonly code = "rabbitmq_blocked";
  /** What to do about it, for `/ready`. */
  readonly remedy: string;

  /** @param reason as the broker gives it: `low on memory`, `low on disk`. */
  constructor(reason: string) {
    super(`RabbitMQ takes no events now: it is ${reason}`);
    this.remedy = `RabbitMQ answers, and takes no events as it is ${reason}: free some, or raise its limit; events wait meanwhile`;
  }
}

/**
 * Why the broker will never take a message, where it closed the channel to say so: the user may not write to that place
 * (403), or the message is over `max_message_size` (406). `undefined`: any other end.
 */
export function refusalOf(error: unknown): string | undefined {
  const said = error instanceof Error ? error.message : String(error);
  return /ACCESS_REFUSED|message size/i.test(said) ? said.replace(/^channel \d+ closed: /, "") : undefined;
}
