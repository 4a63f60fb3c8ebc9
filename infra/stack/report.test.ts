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

test("lines() says every ten seconds what takes longest, with its age and how far it is", () => {
  const said: string[] = [];
  let clock = 0;
  let tick = (): void => undefined;
  let ended = false;
  const shown = lines(
    (line) => said.push(line),
    () => clock,
    (again) => {
      tick = again;
      return () => (ended = true);
    },
  );
  const what = "downloading Kafka (43 MB)";
  shown.report({ server: "kafka", state: { kind: "obtaining", what } });
  clock = 1_000;
  shown.report({ server: "nats", state: { kind: "starting", how: "native" } });
  clock = 10_000;
  shown.report({ server: "kafka", state: { kind: "obtaining", what, progress: "12 of 43 MB" } });
  tick();
  shown.report({ server: "nats", state: { kind: "running", how: "native", address: "nats://127.0.0.1:1", pid: 1 } });
  clock = 20_000;
  shown.report({ server: "kafka", state: { kind: "starting", how: "native" } });
  clock = 21_500;
  tick();
  shown.report({ server: "kafka", state: { kind: "running", how: "native", address: "127.0.0.1:2", pid: 2 } });
  tick();
  shown.close();
  expect(said).toEqual([
    "… waiting for Kafka: downloading Kafka (43 MB): 12 of 43 MB, 10.0 s; also NATS",
    "✓ NATS        nats://127.0.0.1:1  9.0 s",
    "… waiting for Kafka: starting, 1.5 s",
    "✓ Kafka       127.0.0.1:2  21.5 s",
  ]);
  expect(ended).toBe(true);
});
