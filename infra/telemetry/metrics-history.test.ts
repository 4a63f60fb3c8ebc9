import { expect, test } from "bun:test";
import { MetricsHistory, type WatchedMetric } from "./metrics-history.ts";

const WATCHED: readonly WatchedMetric[] = [
  { name: "turns_total", kind: "counter", label: "turns a second" },
  { name: "outbox_pending", kind: "gauge", label: "events that wait" },
];

function history(kept?: number) {
  const at = { now: 0, text: "" };
  const scrape = async () => ({ text: at.text });
  const made = new MetricsHistory({ watched: WATCHED, scrape, now: () => at.now, ...(kept && { kept }) });
  return {
    made,
    async sample(now: number, text: string) {
      Object.assign(at, { now, text });
      await made.sample();
    },
  };
}

test("MetricsHistory shows a counter as its rate over all labels, and a gauge as it stood", async () => {
  const { made, sample } = history();
  await sample(0, 'turns_total{actor="a"} 10\nturns_total{actor="b"} 5\noutbox_pending 7');
  await sample(2_000, 'turns_total{actor="a"} 20\nturns_total{actor="b"} 15\noutbox_pending 3');
  const { times, series } = made.past();
  expect([times, series.map(({ values }) => values)]).toEqual([[2_000], [[10], [3]]]);
});

test("MetricsHistory says null for what was not measured, and 0 for a counter that begins anew", async () => {
  const { made, sample } = history();
  await sample(0, "turns_total 10");
  await sample(1_000, "turns_total 4");
  await sample(2_000, "outbox_pending 1");
  expect(made.past().series.map(({ values }) => values)).toEqual([
    [0, null],
    [null, 1],
  ]);
});

test("MetricsHistory keeps a bounded number of samples, the newest", async () => {
  const { made, sample } = history(3);
  for (let n = 0; n < 10; n++) await sample(n * 1_000, `turns_total ${n}`);
  const { times, series } = made.past();
  expect([times, series[0]?.values]).toEqual([
    [7_000, 8_000, 9_000],
    [1, 1, 1],
  ]);
});

test("MetricsHistory goes on after a sample that failed", async () => {
  let asked = 0;
  const scrape = async () => {
    if (asked++ === 0) throw new Error("A gauge could not be read");
    return { text: "turns_total 1" };
  };
  const made = new MetricsHistory({ watched: WATCHED, scrape, everyMs: 1 });
  const running = made.start();
  while (made.past().times.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await running.stop();
  expect(asked).toBeGreaterThan(2);
});
