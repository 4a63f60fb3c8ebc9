import { expect, setDefaultTimeout, test } from "bun:test";
import { readableLine } from "./log-line.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("readableLine() makes one line of an event", () => {
  expect(
    readableLine('{"level":"warn","time":"2026-01-01T00:00:00Z","message":"sink paused","sink":"kafka","waiting":3}'),
  ).toBe("warn   sink paused  sink=kafka  waiting=3");
});

test("readableLine() hides events below info, by name or by number", () => {
  expect(readableLine('{"level":"debug","message":"x"}')).toBeUndefined();
  expect(readableLine('{"level":20,"msg":"x"}')).toBeUndefined();
  expect(readableLine('{"level":30,"msg":"x"}')).toBe("info   x");
});

test("readableLine() passes on what is no JSON object", () => {
  expect(readableLine("    at handle (actor.ts:3:1)")).toBe("    at handle (actor.ts:3:1)");
  expect(readableLine("{broken")).toBe("{broken");
});

test("readableLine() shortens long values", () => {
  const line = readableLine(JSON.stringify({ level: "info", message: "m", body: "x".repeat(1_000) }));
  expect(line?.length).toBeLessThan(200);
});
