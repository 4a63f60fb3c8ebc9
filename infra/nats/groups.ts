import type { EventMessage } from "./message.ts";

/**
 * Splits messages into groups that may be published side by side: all messages of a target are in the same group, in
 * the order given, and the groups are about equally long. One group for up to `size` messages.
 */
export function groupByTarget(messages: readonly EventMessage[], size: number): readonly (readonly EventMessage[])[] {
  const count = Math.ceil(messages.length / size);
  if (count <= 1) return [messages];
  const groups = Array.from({ length: count }, (): EventMessage[] => []);
  const groupOf = new Map<string, EventMessage[]>();
  for (const message of messages) {
    const { target } = message.record;
    let group = groupOf.get(target);
    if (group === undefined) {
      group = groups.reduce((shortest, other) => (other.length < shortest.length ? other : shortest));
      groupOf.set(target, group);
    }
    group.push(message);
  }
  return groups.filter((group) => group.length > 0);
}

/** Cuts a group into pieces of at most `maxMessages` and, but for single messages, `maxBytes`. */
export function* pieces<M extends { readonly sizeBytes: number }>(
  messages: readonly M[],
  maxMessages: number,
  maxBytes: number,
): Generator<readonly M[]> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const { sizeBytes } = messages[i] as M;
    if (i > from && (i - from >= maxMessages || bytes + sizeBytes > maxBytes)) {
      yield messages.slice(from, i);
      from = i;
      bytes = 0;
    }
    bytes += sizeBytes;
  }
  if (messages.length > from) yield messages.slice(from);
}

/** How many messages the target with the most has. */
export function longestChain(messages: readonly EventMessage[]): number {
  const lengths = new Map<string, number>();
  let longest = 0;
  for (const { record } of messages) {
    const length = (lengths.get(record.target) ?? 0) + 1;
    lengths.set(record.target, length);
    longest = Math.max(longest, length);
  }
  return longest;
}
