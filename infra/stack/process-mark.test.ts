import { expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { isAlive, markOf, ownMark, signalOne } from "./process-mark.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("isAlive() knows a running process by its pid and start time", () => {
  expect(isAlive(ownMark())).toBe(true);
});

test("isAlive() does not take a recycled pid for the process that had it before", () => {
  expect(isAlive({ pid: process.pid, startedAt: "boot/1" })).toBe(false);
});

test("signalOne() leaves a process alone that only got the pid of the one it means", async () => {
  const child = spawn("sleep", ["60"]);
  const mark = markOf(child.pid ?? 0);
  signalOne({ pid: child.pid ?? 0, startedAt: "boot/1" }, "SIGKILL");
  expect(mark !== undefined && isAlive(mark)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(mark !== undefined && isAlive(mark)).toBe(false);
});

test("markOf() answers undefined for a pid that nobody has", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(markOf(child.pid ?? 0)).toBeUndefined();
});
