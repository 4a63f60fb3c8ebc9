import { eventNoun } from "#runtime";

const NOUN = /^[A-Za-z0-9-]{1,200}$/;

/**
 * The stream of an event type: `events:order` for `order.placed.v1`. All events of a noun share it, so that those of one
 * actor stay in order.
 * @throws {RangeError} the noun (what stands before the first dot) is not letters, digits and `-`.
 */
export function eventStream(type: string, prefix = ""): string {
  const noun = eventNoun(type);
  if (!NOUN.test(noun)) {
    throw new RangeError(
      `Cannot derive a stream from the event type ${JSON.stringify(type.slice(0, 80))} as its noun is not letters, digits and -`,
    );
  }
  return `${prefix}events:${noun}`;
}
