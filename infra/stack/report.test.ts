import { expect, setDefaultTimeout, test } from "bun:test";
import { lines } from "./report.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("lines() says nothing of a quick step and one line when the server is up", () => {
  const said: string[] = [];
  let clock = 0;
  const shown = lines(
    (line) => said.push(line),
    () => clock,
  );
  shown.report({ server: "nats", state: { kind: "starting", how: "native" } });
  clock = 400;
  shown.report({ server: "nats", state: { kind: "running", how: "native", address: "nats://127.0.0.1:1", pid: 1 } });
  shown.close();
  expect(said).toEqual(["✓ NATS        nats://127.0.0.1:1  0.4 s"]);
});

test("lines() shows why a server is missing, the end of its log, and the fix", () => {
  const said: string[] = [];
  const shown = lines(
    (line) => said.push(line),
    () => 0,
  );
  shown.report({
    server: "redis",
    state: { kind: "missing", reason: "It ended", fix: "brew install redis", log: ["a", "b"] },
  });
  shown.close();
  expect(said).toEqual(["✗ Redis       It ended", "    | a", "    | b", "    fix: brew install redis"]);
});
