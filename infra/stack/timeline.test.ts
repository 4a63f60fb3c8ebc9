import { expect, test } from "bun:test";
import { Timeline, whereTheTimeWent } from "./timeline.ts";

test("Timeline sums up what each server did, the slowest first", () => {
  let clock = 0;
  const timeline = new Timeline(() => clock);
  const running = { kind: "running", how: "native", address: "a", pid: 1 } as const;
  timeline.note({ server: "kafka", state: { kind: "obtaining", what: "downloading" } });
  timeline.note({ server: "nats", state: { kind: "starting", how: "native" } });
  clock = 300;
  timeline.note({ server: "nats", state: running });
  clock = 4_000;
  timeline.note({ server: "kafka", state: { kind: "obtaining", what: "downloading", progress: "1 of 2 MB" } });
  clock = 6_000;
  timeline.note({ server: "kafka", state: { kind: "starting", how: "native" } });
  clock = 9_000;
  timeline.note({ server: "kafka", state: running });
  clock = 20_000;
  // A server that falls and comes back later is no part of the start.
  timeline.note({ server: "nats", state: { kind: "restarting", reason: "killed" } });
  timeline.note({ server: "nats", state: running });
  expect(timeline.ways()).toEqual([
    {
      server: "kafka",
      ms: 9_000,
      steps: [
        { name: "obtaining", ms: 6_000 },
        { name: "starting", ms: 3_000 },
      ],
    },
    { server: "nats", ms: 300, steps: [{ name: "starting", ms: 300 }] },
  ]);
});

test("whereTheTimeWent() shows the parts, and the servers below their part", () => {
  const ways = [
    { server: "kafka", ms: 9_000, steps: [{ name: "obtaining", ms: 8_000 }] },
    { server: "nats", ms: 300, steps: [{ name: "starting", ms: 300 }] },
  ] as const;
  expect(
    whereTheTimeWent(
      [
        { name: "dependencies", ms: 1_200 },
        { name: "servers", ms: 9_100 },
        { name: "app", ms: 2_000 },
      ],
      ways,
    ),
  ).toEqual([
    "where the time went",
    "  dependencies    1.2 s",
    "  servers         9.1 s",
    "    Kafka         9.0 s  bringing 8.0 s",
    "    NATS          0.3 s",
    "  app             2.0 s",
  ]);
});
