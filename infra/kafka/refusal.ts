import { findKafkaError } from "./errors.ts";

/** A record batch over the topic's `max.message.bytes`. */
const TOO_LARGE = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"] as const;
/** What no other time makes right: the record, the topic's rules for records, or who may write there. */
const NEVER = [
  ...TOO_LARGE,
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "INVALID_TOPIC_EXCEPTION",
  "POLICY_VIOLATION",
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
] as const;
const NOT_NOW = ["UNKNOWN_TOPIC_OR_PARTITION", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"] as const;

/** A record batch over the topic's `max.message.bytes`. */
export function isTooLarge(error: unknown): boolean {
  return findKafkaError(error, TOO_LARGE);
}

/** The broker will never take this, as long as the topic is what it is. */
export function isNever(error: unknown): boolean {
  return findKafkaError(error, NEVER);
}

/** The broker answered, and said no. */
export function isRefusal(error: unknown): boolean {
  return isNever(error) || findKafkaError(error, NOT_NOW);
}
