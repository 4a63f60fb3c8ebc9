import { expect, test } from "bun:test";
import { type Section, withSection } from "./page.ts";

const measured = { opsPerSecond: 20_000, p50Ms: 1, p99Ms: 30, rssMb: 100 };
const section: Section = {
  bench: "events",
  server: "tuned",
  cases: [{ bench: "events", case: "64 callers", measured, baseline: { name: "by hand", ...measured } }],
  day: "2026-11-29",
  machine: "2 × a processor, 8 GB",
  versions: "Bun 1.4.5",
  load: 0,
};

test("bench --report adds a section with the machine, the versions, the baseline and each target, reached or missed", () => {
  const page = withSection("# Performance\n", section);
  expect(page).toStartWith("# Performance\n\n<!-- bench events, tuned -->\n");
  expect(page).toContain("2026-11-29. 2 × a processor, 8 GB. Bun 1.4.5.");
  expect(page).toContain("| by hand | 20,000 |");
  expect(page).toContain("20,000 ops/s: reached; p99 of 20 ms: **missed** |");
});

test("bench --report says when others were at work on the machine", () => {
  expect(withSection("", section)).not.toContain("busy");
  expect(withSection("", { ...section, load: 1_000 })).toContain("**The machine was busy**: its load was 1000.0.");
});

test("bench --report replaces the section of the same benchmark and server, and leaves the rest as it is", () => {
  const others = withSection(withSection("# Performance\n", section), { ...section, server: "delivered" });
  const page = `${others}\nWritten by hand.\n`;
  const again = withSection(page, { ...section, day: "2027-01-01" });
  expect(again).toContain("2027-01-01");
  expect(again.split("### events").length).toBe(3);
  expect(again.split("2026-11-29").length).toBe(2);
  expect(again).toEndWith("\nWritten by hand.\n");
  expect(withSection(again, section)).toBe(page);
});

test("bench --report refuses a page in which a section does not end", () => {
  expect(() => withSection("<!-- bench events, tuned -->\n| a |\n", section)).toThrow("Cannot find the end of");
});
