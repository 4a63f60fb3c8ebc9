import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, PARTITION_COUNT } from "#runtime";
import { eventually } from "../testing/eventually.ts";
import { type Prometheus, prometheus } from "./prometheus.ts";

const Bell = actor("bell", {
  state: v.object({ rings: v.number() }),
  initial: () => ({ rings: 0 }),
  messages: ({ command }) => ({ ring: command({}, (c) => void c.state.rings++) }),
});

/** A registry, and what a scrape of it shows. */
function scraped(): Prometheus & { text(): Promise<string> } {
  const made = prometheus();
  return { ...made, text: async () => (await made.scrape()).text };
}

const linesOf = async (text: Promise<string>, name: string): Promise<string[]> =>
  (await text).split("\n").filter((line) => line.startsWith(name));

test("prometheus() shows the counts of every attached node as one, and forgets a node that has stopped", async () => {
  const { metrics, text } = scraped();
  const nodes = await Promise.all(
    [1, 2].map(() => createTroupe({ actors: [Bell], stores: { default: memory() }, metrics })),
  );
  for (const node of nodes) await node.ref(Bell, "a").ring();
  expect(await linesOf(text(), "troupe_turns_total")).toContain(
    'troupe_turns_total{actor="bell",message="ring",outcome="ok"} 2',
  );
  expect(await linesOf(text(), "troupe_partitions_owned")).toEqual([`troupe_partitions_owned ${2 * PARTITION_COUNT}`]);
  expect(await linesOf(text(), "troupe_turn_seconds_count")).toEqual([
    'troupe_turn_seconds_count{actor="bell",message="ring"} 2',
  ]);
  expect(await linesOf(text(), 'troupe_turn_seconds_bucket{le="+Inf"')).toEqual([
    'troupe_turn_seconds_bucket{le="+Inf",actor="bell",message="ring"} 2',
  ]);
  expect(await linesOf(text(), "troupe_lanes ")).toEqual(["troupe_lanes 4"]);
  expect(await linesOf(text(), "troupe_lane_turns_waiting ")).toEqual(["troupe_lane_turns_waiting 0"]);
  for (const node of nodes) await node.stop();
  expect(await linesOf(text(), "troupe_turns_total")).toEqual([]);
});

test("prometheus() counts buckets upwards, sums those with the same labels, and escapes values", async () => {
  const { histogram, text } = scraped();
  histogram("x_seconds", "Some time", () => [
    { labels: { sink: 'a"b' }, of: { bounds: [1, 2], counts: [1, 1, 1], sum: 6 } },
    { labels: { sink: 'a"b' }, of: { bounds: [1, 2], counts: [1, 0, 0], sum: 1 } },
  ]);
  expect(await linesOf(text(), "x_seconds")).toEqual([
    'x_seconds_bucket{le="1",sink="a\\"b"} 2',
    'x_seconds_bucket{le="2",sink="a\\"b"} 3',
    'x_seconds_bucket{le="+Inf",sink="a\\"b"} 4',
    'x_seconds_sum{sink="a\\"b"} 7',
    'x_seconds_count{sink="a\\"b"} 4',
  ]);
});

test("a gauge that cannot be read is left out, and the others are shown", async () => {
  const { gauge, text } = scraped();
  gauge("x_gone", "Away", [], () => Promise.reject(new Error("away")));
  gauge("x_thrown", "Away", ["a"], () => {
    throw new Error("away");
  });
  gauge("x_here", "Here", ["a"], async () => [{ labels: { a: "1" }, value: 3 }]);
  const shown = await text();
  expect(shown).toContain('x_here{a="1"} 3');
  expect(shown).not.toContain("\nx_gone ");
  expect(shown).toContain("process_cpu_seconds_total");
});

test("prometheus() shows how far each subscription is behind, as the node that consumes knows it", async () => {
  const { metrics, text } = scraped();
  const Listener = actor("listener", {
    state: v.object({}),
    initial: () => ({}),
    messages: ({ command }) => ({ note: command({}, () => undefined) }),
    subscribe: { "bell.rung.v1": { to: () => "a", send: "note" } },
  });
  await using _ = await createTroupe({
    actors: [Listener],
    stores: { default: memory() },
    sources: {
      default: {
        name: "fake",
        start: () => ({ stop: async () => undefined, lag: async () => 7 }),
        check: async () => undefined,
      },
    },
    metrics,
  });
  await eventually("the lag is known", 10_000, async () => {
    const lines = await linesOf(text(), "troupe_subscription_lag");
    return lines.includes('troupe_subscription_lag{source="fake",actor="listener"} 7');
  });
});

test("a scraper that reads OpenMetrics gets the trace of a slow turn as an exemplar, and the same names as every other", async () => {
  const { metrics, scrape } = prometheus();
  await using troupe = await createTroupe({ actors: [Bell], stores: { default: memory() }, metrics });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await troupe.ref(Bell, "a").ring(undefined, { traceparent });
  const open = await scrape("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1");
  expect(open.contentType).toContain("application/openmetrics-text");
  expect(open.text).toEndWith("# EOF\n");
  const exemplar =
    /^troupe_turn_seconds_bucket\{[^}]*actor="bell"[^}]*\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} /m;
  expect(open.text).toMatch(exemplar);
  const plain = await scrape("text/plain");
  expect(plain.text).not.toContain("trace_id");
  const names = (text: string): string[] => text.match(/^[a-z_]+(?=[{ ])/gm)?.toSorted() ?? [];
  expect(new Set(names(plain.text))).toEqual(new Set(names(open.text)));
});
