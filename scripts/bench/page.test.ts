import { expect, test } from "bun:test";
import { join } from "node:path";
import { BOUNDS } from "./bounds.ts";
import { readFigures, type Section, withSection, writeFigures } from "./figures.ts";
import { PAGE, withFigures } from "./page.ts";
import { BENCHES } from "./registry.ts";
import { EMPTY_STORE } from "./relay-cases.ts";
import { TARGETS } from "./targets.ts";

const EMPTY =
  "# Performance\n\n<!-- figures, made by bun run bench --report -->\n<!-- end of the figures -->\n\nWritten by hand.\n";
const ORDER = BENCHES.map(({ name }) => name);

const measured = { opsPerSecond: 20_000, p50Ms: 1, p99Ms: 30, rssMb: 100 };
const section: Section = {
  bench: "events",
  group: "",
  server: "tuned",
  cases: [{ bench: "events", case: "64 callers", measured, baseline: { name: "by hand", ...measured } }],
  day: "2026-11-29",
  machine: "2 × a processor, 8 GB",
  versions: "Bun 1.4.5",
  load: 0,
  processors: 2,
};
const relay = (group: string, opsPerSecond: number): Section => ({
  ...section,
  bench: "relay",
  group,
  cases: [
    {
      ...{ bench: "relay", group, case: `${group}, backlog of 60,000` },
      measured: { ...measured, opsPerSecond },
      baseline: { name: "SKIP LOCKED poller", ...measured },
    },
  ],
});

test("bench --report shows the machine, the versions, the baseline and each target, reached or missed", () => {
  const page = withFigures(EMPTY, [section], ORDER);
  expect(page).toContain(
    "### events\n\nPostgreSQL as the stack starts it: 2026-11-29, 2 × a processor, 8 GB, Bun 1.4.5.",
  );
  expect(page).toContain("| by hand | 20,000 |");
  expect(page).toContain("20,000 ops/s: reached; p99 of 20 ms: **missed** |");
  expect(page).toEndWith("\nWritten by hand.\n");
});

test("bench --report tells of every target whether it was reached, on both servers, and what bounds one that is missed", () => {
  const rowOf = (page: string, what: string): string =>
    page.split("\n").find((line) => line.startsWith(`| ${what} |`)) ?? "";
  const page = withFigures(EMPTY, [section], ORDER);
  expect(rowOf(page, "events: 64 callers")).toBe(
    `| events: 64 callers | 20,000 ops/s, p99 of 20 ms | 9,900/s | 20,000/s, p99 30 ms: **missed** | not measured yet | by hand: 20,000/s | ${BOUNDS["events: 64 callers"]} |`,
  );
  expect(BOUNDS["relay: nats, backlog of 60,000, 1M rows there"]).toBeUndefined();
  const name = "nats, backlog of 60,000, 1M rows there";
  const baseline = { name: EMPTY_STORE, ...measured, opsPerSecond: 40_000 };
  const unexplained = { ...section, bench: "relay", cases: [{ bench: "relay", case: name, measured, baseline }] };
  expect(rowOf(withFigures(EMPTY, [unexplained], ORDER), `relay: ${name}`)).toEndWith("| no profile yet |");
  expect(TARGETS.filter(({ bench, case: name }) => rowOf(page, `${bench}: ${name}`) === "")).toEqual([]);
  const well = withFigures(EMPTY, [relay("kafka", 50_000), { ...relay("kafka", 39_000), server: "delivered" }], ORDER);
  expect(rowOf(well, "relay: kafka, backlog of 60,000")).toContain("| 50,000/s: reached | 39,000/s: **missed** |");
});

test("bench --report says when others were at work on the machine", () => {
  expect(withFigures(EMPTY, [section], ORDER)).not.toContain("busy");
  expect(withFigures(EMPTY, [{ ...section, load: 1_000 }], ORDER)).toContain(
    "**The machine was busy**: others used 1000.0 processors.",
  );
});

test("bench --report replaces what the part of a benchmark said of the same server, and leaves the rest as it is", () => {
  const all = [section, relay("kafka", 1), relay("nats", 2), { ...relay("kafka", 3), server: "delivered" as const }];
  const later = withSection(all, { ...relay("kafka", 4), day: "2027-01-01" });
  expect(later.map(({ group, server, day }) => [group, server, day])).toEqual([
    ["", "tuned", "2026-11-29"],
    ["nats", "tuned", "2026-11-29"],
    ["kafka", "delivered", "2026-11-29"],
    ["kafka", "tuned", "2027-01-01"],
  ]);
  const page = withFigures(withFigures(EMPTY, all, ORDER), later, ORDER);
  expect(page.indexOf("### relay: kafka")).toBeLessThan(page.indexOf("### relay: nats"));
  expect(page.indexOf("### relay: nats")).toBeLessThan(page.indexOf("### events"));
  expect(page.split("### relay: kafka").length).toBe(2);
  expect(withFigures(page, later, ORDER)).toBe(page);
});

test("bench --report shows the figures on PostgreSQL's own defaults beside those on the stack's", () => {
  const page = withFigures(EMPTY, [relay("kafka", 50_000), { ...relay("kafka", 30_000), server: "delivered" }], ORDER);
  expect(page).toContain("| as delivered: ops/s | p99 ms | ratio | target |");
  expect(page).toContain("| 30,000 | 30 | 1.5 | 40,000 ops/s: reached |");
});

test("bench --report refuses a page without a place for figures", () => {
  expect(() => withFigures("# Performance\n", [], ORDER)).toThrow("Cannot write figures");
});

test("figures are read back as they were written, and the page shows those that are kept", async () => {
  const file = `${process.env["TMPDIR"] ?? "/tmp"}/figures-${crypto.randomUUID()}.json`;
  expect(await readFigures(file)).toEqual([]);
  await writeFigures([section], file);
  expect(await readFigures(file)).toEqual([section]);
  await Bun.file(file).delete();
  const page = await Bun.file(join(import.meta.dirname, "..", "..", PAGE)).text();
  expect(withFigures(page, await readFigures(), ORDER)).toBe(page);
});

test("every target and every bound is of a benchmark that there is, and a run of all takes 25 minutes at most", () => {
  const keys = TARGETS.map((target) => `${target.bench}: ${target.case}`);
  expect(new Set(TARGETS.map(({ bench }) => bench)).difference(new Set(ORDER))).toEqual(new Set());
  expect(Object.keys(BOUNDS).filter((key) => !keys.includes(key))).toEqual([]);
  expect(BENCHES.reduce((sum, { seconds, alone }) => sum + (alone ? 0 : seconds), 0)).toBeLessThanOrEqual(25 * 60);
});
