import { GenericError, MultipleErrors } from "@platformatic/kafka";

/** Kafka cannot be reached, or did not answer in time. Retry later: what was sent may or may not have arrived. */
export class KafkaUnavailableError extends Error {
  override readonly name = "KafkaUnavailableError";
  readonly code = "kafka_unavailable";
  readonly retryable = true;
}

/** Whether an error, or one of those it was made of, carries one of these protocol error names (`MESSAGE_TOO_LARGE`). */
export function findKafkaError(error: unknown, names: readonly string[]): boolean {
  if (error instanceof MultipleErrors) return names.some((name) => error.findBy("apiId", name) !== null);
  return error instanceof GenericError && names.some((name) => error.findBy("apiId", name) !== null);
}

/** The reason at the bottom of a client error, which wraps once per retry and request. */
export function kafkaReason(error: unknown): string {
  let at = error;
  for (let depth = 0; depth < 8; depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) at = at.errors.at(-1);
    else if (at instanceof Error && at.cause instanceof Error) at = at.cause;
    else break;
  }
  return at instanceof Error ? at.message : String(at);
}

/** The topic was deleted, or never made. */
export function isUnknownTopic(error: unknown): boolean {
  return (
    findKafkaError(error, ["UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID"]) ||
    kafkaReason(error).startsWith("Unknown topic")
  );
}
