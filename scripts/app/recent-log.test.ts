import { expect, test } from "bun:test";
import { jsonLog } from "./json-log.ts";
import { RecentLog } from "./recent-log.ts";

test("RecentLog finds the newest lines that hold a text, and keeps no more than its bound", () => {
  const written: string[] = [];
  const lines = new RecentLog((line) => void written.push(line));
  const log = jsonLog("info", (line) => lines.write(line));
  for (let i = 0; i < 2_500; i++) log("info", "turn:failed", { order: `ord_${i % 500}`, i });
  expect(written.length).toBe(2_500);
  const found = lines.find('"ord_7"', 3);
  expect(found.map(({ text }) => (JSON.parse(text) as { i: number }).i)).toEqual([2_007, 1_507, 1_007]);
  expect(found[0]).toMatchObject({ level: "info", event: "turn:failed" });
  expect(lines.find('"ord_7"', 100).length).toBe(4);
});

test("RecentLog cuts a line that is too long, and still tells when and what it was", () => {
  const lines = new RecentLog(() => undefined);
  jsonLog("info", (line) => lines.write(line))("error", "app:huge", { text: "x".repeat(10_000) });
  expect(lines.find("xxxx", 1)).toMatchObject([{ level: "error", event: "app:huge" }]);
  expect(lines.find("xxxx", 1)[0]?.text.length).toBe(4_096);
});
