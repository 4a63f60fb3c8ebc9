import { expect, test } from "bun:test";
import { LineQueue } from "./line-queue.ts";

test("LineQueue sends what is added in the same moment together, by subject and in order", async () => {
  const sent: string[] = [];
  const queue = new LineQueue<{ text: string }>((subject, lines) => {
    sent.push(`${subject}: ${lines.map(({ text }) => text).join(",")}`);
  });
  queue.add("a", { text: "1" });
  await Promise.resolve();
  queue.add("b", { text: "2" });
  queue.add("a", { text: "3" });
  expect(sent).toEqual([]);
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(sent).toEqual(["a: 1,3", "b: 2"]);
});

test("LineQueue sends a message that is full at once, and a long line alone", () => {
  const sizes: number[] = [];
  const queue = new LineQueue<{ text: string }>((_, lines) => sizes.push(lines.length));
  for (let i = 0; i < 3; i++) queue.add("a", { text: "x".repeat(60_000) });
  queue.add("a", { text: "x".repeat(500_000) });
  queue.add("a", { text: "y" });
  queue.flush();
  expect(sizes).toEqual([2, 1, 1, 1]);
});
