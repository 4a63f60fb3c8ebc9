import { expect, test } from "bun:test";
import { check } from "./checker.ts";
import type { Delivered, History, Posted } from "./history.ts";
import { delayRows, faultRows, markdown } from "./table.ts";

const posted = (n: number): Posted => ({
  stream: "events",
  key: "a",
  n,
  id: `a-${n}`,
  askedAt: 1_000 * n - 10,
  acceptedAt: 1_000 * n,
});
const there = (n: number, at = 1_000 * n + 20): Delivered => ({ stream: "events", key: "a", n, id: `a-${n}`, at });
const numbers = [1, 2, 3, 4, 5, 6];
const on = numbers.map((n) => there(n));

/** Redis is away from 2.5 s to 4.5 s; events 3 and 4 come to it at 4.9 s, and the third twice. */
const history: History = {
  episodes: [
    { fault: "none", from: 0, back: 2_000, drained: 2_000 },
    { fault: "redis", away: "redis", from: 2_500, back: 4_500, drained: 5_000 },
  ],
  posted: numbers.map(posted),
  delivered: {
    nats: on,
    kafka: on.filter(({ n }) => n !== 6),
    rabbitmq: on,
    redis: [there(1), there(2), there(3, 4_900), there(4, 4_900), there(3, 4_950), there(5), there(6)],
  },
  letters: [],
  ready: [
    { at: 3_000, status: 200, down: ["redis"] },
    { at: 5_000, status: 200, down: [] },
  ],
  refusals: [],
  uncaught: [],
};

test("faultRows() counts per fault what was answered, lost and repeated, and how long the backlog took", () => {
  expect(faultRows(history, check(history))).toEqual([
    {
      fault: "none",
      seconds: 2,
      acked: 2,
      due: 8,
      lost: 0,
      repeats: 0,
      orderBreaks: 0,
      longestGap: 1.02,
      drainSeconds: 0.02,
    },
    {
      fault: "redis",
      seconds: 2,
      acked: 4,
      due: 16,
      lost: 1,
      repeats: 1,
      orderBreaks: 0,
      longestGap: 1,
      drainSeconds: 0.4,
    },
  ]);
});

test("faultRows() is one row for a fault that came several times, and says where a backlog stayed", () => {
  const [none, redis] = history.episodes;
  if (none === undefined || redis === undefined) throw new Error("two episodes");
  const { drained: _, ...stayed } = redis;
  const again = { ...history, episodes: [none, redis, { ...stayed, from: 5_000, back: 6_000 }] };
  expect(faultRows(again, check(again)).map(({ fault, drainSeconds }) => [fault, drainSeconds])).toEqual([
    ["none", 0.02],
    ["redis ×2", undefined],
  ]);
});

test("delayRows() leaves out the broker that was away", () => {
  const rows = delayRows(history);
  expect(rows.filter(({ fault }) => fault === "redis").map(({ broker }) => broker)).toEqual([
    "nats",
    "kafka",
    "rabbitmq",
  ]);
  expect(rows[0]).toEqual({ fault: "none", broker: "nats", events: 2, p50Ms: 30, p99Ms: 30 });
});

test("markdown() lines up its columns", () => {
  expect(markdown(["a", "bb"], [["ccc", "1"]])).toBe("| a   | bb |\n|-----|---:|\n| ccc |  1 |");
});
