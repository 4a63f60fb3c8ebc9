/** RabbitMQ cannot be reached, or did not answer in time. Retry later: what was sent may or may not have been taken. */
export class RabbitMqUnavailableError extends Error {
  override readonly name = "RabbitMqUnavailableError";
  readonly code = "rabbitmq_unavailable";
  readonly retryable = true;
}
