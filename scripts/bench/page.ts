import { availableParallelism, cpus, totalmem } from "node:os";
import { type BenchCase, TABLE_HEAD, toRow } from "./report.ts";
import { verdictOf } from "./targets.ts";

/** Where the figures are kept, from the root of the checkout. */
export const PAGE = "infra/docs/performance.md";

/** What one benchmark has measured, and where. */
export interface Section {
  readonly bench: string;
  /** Which PostgreSQL it ran on, if any. */
  readonly server: "tuned" | "delivered" | "none";
  readonly cases: readonly BenchCase[];
  /** The day, as in `2026-11-29`. */
  readonly day: string;
  readonly machine: string;
  readonly versions: string;
  /** The load average of the machine when the run began. */
  readonly load: number;
}

const SERVERS = {
  tuned: ", PostgreSQL as the stack starts it",
  delivered: ", PostgreSQL as it is delivered",
  none: "",
} as const;

/** Others that were at work by then, per processor: figures beside more than this are worth little. */
const QUIET = 0.25;

/** The machine that this runs on. */
export function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 1_073_741_824)} GB`;
}

/** The page with a section in the place of the one of the same benchmark and server, or at its end. The rest stays. */
export function withSection(page: string, section: Section): string {
  const [head, tail] = [`<!-- bench ${section.bench}, ${section.server} -->`, "<!-- end -->"];
  const text = [head, textOf(section), tail].join("\n");
  const from = page.indexOf(head);
  if (from < 0) return `${page.trimEnd()}\n\n${text}\n`;
  const to = page.indexOf(tail, from);
  if (to < 0) throw new Error(`Cannot find the end of "${head}" in ${PAGE}: expected "${tail}" after it`);
  return page.slice(0, from) + text + page.slice(to + tail.length);
}

function textOf({ bench, server, cases, day, machine: where, versions, load }: Section): string {
  const [names = "", rule = ""] = TABLE_HEAD.split("\n");
  const rows = cases.map((one) => `${toRow(one)} ${verdictOf(one)} |`);
  const busy =
    load > QUIET * availableParallelism() ? ` **The machine was busy**: its load was ${load.toFixed(1)}.` : "";
  return `\n### ${bench}${SERVERS[server]}\n\n${day}. ${where}. ${versions}.${busy}\n\n${[`${names} target |`, `${rule}---|`, ...rows].join("\n")}\n`;
}
