import { expect, test } from "bun:test";
import { join } from "node:path";
import { EXIT_UNCAUGHT } from "./last-words.ts";

async function run(how: string): Promise<{ code: number; lines: string[] }> {
  const fixture = join(import.meta.dirname, "last-words.fixture.ts");
  const child = Bun.spawn([process.execPath, fixture, how], { stdout: "pipe", stderr: "ignore" });
  const text = await new Response(child.stdout).text();
  return { code: await child.exited, lines: text.trim().split("\n") };
}

test("an uncaught exception is written down, and ends the process", async () => {
  const { code, lines } = await run("throw");
  expect(code).toBe(EXIT_UNCAUGHT);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "error", event: "app:exception" });
  expect(lines[0]).toContain("Cannot go on");
});

test("a rejection that nobody awaited is written down, and the process goes on", async () => {
  const { code, lines } = await run("reject");
  expect(code).toBe(0);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "error", event: "app:rejection" });
  expect(lines[1]).toBe("survived");
});
