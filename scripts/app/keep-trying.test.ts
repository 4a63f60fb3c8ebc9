import { expect, test } from "bun:test";
import { jsonLog } from "./json-log.ts";
import { keepTrying } from "./keep-trying.ts";

test("keepTrying() tries until it works, and warns of a reason once", async () => {
  const warned: unknown[] = [];
  let tries = 0;
  const start = async (): Promise<string> => {
    if (++tries < 3) throw new Error("refused");
    return "up";
  };
  const log = (level: string, _event: string, fields?: object): void => void (level === "warn" && warned.push(fields));
  expect(await keepTrying("the server", start, { signal: new AbortController().signal, log })).toBe("up");
  expect(warned).toEqual([{ what: "the server", reason: "refused" }]);
});

test("keepTrying() ends at once when it is told to", async () => {
  const controller = new AbortController();
  const trying = keepTrying("the server", () => Promise.reject(new Error("refused")), {
    signal: controller.signal,
    log: () => controller.abort(),
  });
  expect(await trying).toBeUndefined();
});

test("jsonLog() writes one JSON object per line, from its level on, whatever the fields hold", () => {
  const lines: string[] = [];
  const log = jsonLog("info", (line) => void lines.push(line));
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  log("debug", "a:b");
  log("info", "a:b", { n: 1n, error: new Error("broken\nline") });
  log("error", "a:c", { circular });
  expect(lines.length).toBe(2);
  expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info", event: "a:b", n: "1" });
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ level: "error", event: "a:c" });
});
