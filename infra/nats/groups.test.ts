import { expect, test } from "bun:test";
import { groupByTarget, longestChain, pieces } from "./groups.ts";
import { type EventMessage, eventMessage } from "./message.ts";

function message(target: string, seq: number): EventMessage {
  const record = {
    partition: 0,
    seq,
    kind: "event",
    id: `evt_${seq}`,
    name: "order.placed.v1",
    actor: { type: "order", key: target },
    target,
    body: "{}",
    at: 0,
    traceparent: undefined,
  } as const;
  return eventMessage(record, "evt");
}

test("groupByTarget() keeps a target's messages together and in order, in groups of about the same length", () => {
  const messages = Array.from({ length: 100 }, (_, i) => message(`t${i % 13}`, i));
  const groups = groupByTarget(messages, 25);
  expect(groups).toHaveLength(4);
  const seen = new Set<string>();
  for (const group of groups) {
    expect(group.length).toBeGreaterThan(14);
    const targets = new Set(group.map(({ record }) => record.target));
    for (const target of targets) {
      expect(seen.has(target)).toBe(false);
      seen.add(target);
      const order = group.filter(({ record }) => record.target === target).map(({ record }) => record.seq);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
  }
  expect(groups.flat()).toHaveLength(100);
});

test("groupByTarget() leaves what fits into one group alone", () => {
  const messages = [message("a", 1), message("b", 2)];
  expect(groupByTarget(messages, 900)).toEqual([messages]);
});

test("pieces() cuts by count and by bytes, and lets a single large message through", () => {
  const messages = Array.from({ length: 5 }, (_, i) => message("a", i));
  const size = messages[0]?.sizeBytes ?? 0;
  expect([...pieces(messages, 2, 1e9)].map((piece) => piece.length)).toEqual([2, 2, 1]);
  expect([...pieces(messages, 100, size * 3)].map((piece) => piece.length)).toEqual([3, 2]);
  expect([...pieces(messages, 100, 1)].map((piece) => piece.length)).toEqual([1, 1, 1, 1, 1]);
  expect([...pieces([], 2, 1)]).toEqual([]);
});

test("longestChain() counts the messages of the busiest target", () => {
  expect(longestChain([message("a", 1), message("b", 2), message("a", 3)])).toBe(2);
});
