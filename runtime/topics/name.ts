import { MAX_TOPIC_LENGTH } from "../base/limits.ts";
import { InvalidInputError } from "../message/errors.ts";

/**
 * What a topic is called: words separated by slashes, as in `orders` or `orders/ord_42`. Each holds letters, digits and
 * `_ - . : ~`; the first begins with a letter, the others with a letter, a digit, `_` or `-`. There are no patterns:
 * whoever follows `orders` hears nothing of `orders/ord_42`.
 */
const TOPIC = /^[A-Za-z][A-Za-z0-9_.:~-]{0,99}(?:\/[A-Za-z0-9_-][A-Za-z0-9_.:~-]{0,99}){0,7}$/;
const TYPE = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/**
 * Whether a text may name a topic: up to 8 words of letters, digits and `_ - . : ~` between slashes, 200 characters in all.
 *
 * @example
 * ```ts
 * isTopic("orders/ord_42"); // true
 * isTopic("orders/*"); // false: there are no patterns
 * ```
 */
export function isTopic(topic: string): boolean {
  return topic.length <= MAX_TOPIC_LENGTH && TOPIC.test(topic);
}

/** @throws {InvalidInputError} when a text names no topic: at most 8 words between slashes, 200 characters in all. */
export function checkTopic(topic: string): void {
  if (typeof topic === "string" && isTopic(topic)) return;
  throw new InvalidInputError("a topic", [
    {
      path: "/topic",
      message: "Invalid topic",
      expected: `1 to ${MAX_TOPIC_LENGTH} characters: up to 8 words of letters, digits and _ - . : ~, separated by /`,
      received: typeof topic === "string" ? `${topic.length} characters` : typeof topic,
    },
  ]);
}

/** @throws {InvalidInputError} when a text cannot be the type of a broadcast: a letter, then letters, digits and `_ - .`. */
export function checkBroadcastType(type: string): void {
  if (typeof type === "string" && TYPE.test(type)) return;
  throw new InvalidInputError("a broadcast", [
    {
      path: "/type",
      message: "Invalid type",
      expected: "1 to 100 letters, digits and _ - . , beginning with a letter",
      received: typeof type === "string" ? `${type.length} characters` : typeof type,
    },
  ]);
}
