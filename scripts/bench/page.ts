/** The figures as a page shows them: which targets are reached, and a table for each part of a benchmark. */
import { availableParallelism, cpus, totalmem } from "node:os";
import { BOUNDS } from "./bounds.ts";
import type { Section } from "./figures.ts";
import { type BenchCase, TABLE_HEAD, toRow } from "./report.ts";
import { partsOf, type Target, targetOf, TARGETS, verdictsOf } from "./targets.ts";

/** Where the figures are shown, from the root of the checkout. */
export const PAGE = "infra/docs/performance.md";

const HEAD = "<!-- figures, made by bun run bench --report -->";
const TAIL = "<!-- end of the figures -->";
/** Others that were at work by then, per processor: figures beside more than this are worth little. */
const QUIET = 0.25;

/** The machine that this runs on. */
export function machine(): string {
  const all = cpus();
  return `${availableParallelism()} × ${all[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 1_073_741_824)} GB`;
}

/**
 * The page with these figures in the place of those that it shows. The rest stays.
 * @param order the names of all benchmarks, in the order in which they are shown.
 * @throws {Error} the page has no place for figures.
 */
export function withFigures(page: string, sections: readonly Section[], order: readonly string[]): string {
  const [from, to] = [page.indexOf(HEAD), page.indexOf(TAIL)];
  if (from < 0 || to < from) throw new Error(`Cannot write figures into ${PAGE}: expected "${HEAD}" and "${TAIL}"`);
  const text = [targetsTable(sections), ...parts(sections, order).map(partText)].join("\n\n");
  return `${page.slice(0, from) + HEAD}\n\n${text}\n\n${page.slice(to)}`;
}

// --- targets ---

function targetsTable(sections: readonly Section[]): string {
  const rows = TARGETS.map((target) => {
    const tuned = lineOf(target, sections, false);
    const delivered = lineOf(target, sections, true);
    const cells = [
      `${target.bench}: ${target.case}`,
      partsOf(target).join(", "),
      target.was ?? "",
      reached(target, tuned),
      reached(target, delivered),
      tuned?.baseline === undefined ? "" : `${tuned.baseline.name}: ${rate(tuned.baseline.opsPerSecond)}`,
      boundOf(target, [tuned, delivered]),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "### Targets",
    "",
    "| what | target | was | reached | on PostgreSQL's own defaults | beside it | what bounds it |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function lineOf(target: Target, sections: readonly Section[], delivered: boolean): BenchCase | undefined {
  const mine = sections.filter(({ server }) => (server === "delivered") === delivered);
  return mine.flatMap(({ cases }) => cases).find((line) => targetOf(line) === target);
}

function reached(target: Target, line: BenchCase | undefined): string {
  if (line === undefined) return "not measured yet";
  const { opsPerSecond, p50Ms, p99Ms } = line.measured;
  const figures = [
    ...(target.opsPerSecond === undefined ? [] : [rate(opsPerSecond)]),
    ...(target.p50Ms === undefined ? [] : [`p50 ${Math.round(p50Ms * 10) / 10} ms`]),
    ...(target.p99Ms === undefined ? [] : [`p99 ${Math.round(p99Ms * 10) / 10} ms`]),
    ...(target.ratio === undefined || line.baseline === undefined
      ? []
      : [`${Math.round((opsPerSecond / line.baseline.opsPerSecond) * 100) / 100} of it`]),
  ];
  const missed = verdictsOf(target, line).filter((verdict) => !verdict.reached);
  return `${figures.join(", ")}: ${missed.length === 0 ? "reached" : "**missed**"}`;
}

function boundOf(target: Target, lines: readonly (BenchCase | undefined)[]): string {
  const isMissed = lines.some(
    (line) => line !== undefined && verdictsOf(target, line).some((verdict) => !verdict.reached),
  );
  if (!isMissed) return "";
  return BOUNDS[`${target.bench}: ${target.case}`] ?? "no profile yet";
}

function rate(opsPerSecond: number): string {
  return opsPerSecond < 100
    ? `${Math.round(opsPerSecond * 10) / 10}/s`
    : `${Math.round(opsPerSecond).toLocaleString("en-US")}/s`;
}

// --- tables ---

/** The sections of one part of a benchmark. */
interface Part {
  readonly title: string;
  readonly sections: readonly Section[];
}

function parts(sections: readonly Section[], order: readonly string[]): readonly Part[] {
  const groups = Map.groupBy(sections, ({ bench, group }) => (group === "" ? bench : `${bench}: ${group}`));
  return [...groups]
    .map(([title, all]) => ({ title, sections: all }))
    .toSorted((a, b) => place(a, order) - place(b, order) || (a.title < b.title ? -1 : 1));
}

function place({ sections }: Part, order: readonly string[]): number {
  return order.indexOf(sections[0]?.bench ?? "");
}

const SERVERS = {
  tuned: "PostgreSQL as the stack starts it",
  delivered: "PostgreSQL as it is delivered",
  none: "",
} as const;

function partText({ title, sections }: Part): string {
  const main = sections.find(({ server }) => server !== "delivered");
  const beside = sections.find(({ server }) => server === "delivered");
  const [names = "", rule = ""] = TABLE_HEAD.split("\n");
  const shown = main ?? beside;
  const others = main === undefined ? undefined : beside;
  const further = others === undefined ? ["", ""] : [" as delivered: ops/s | p99 ms | ratio |", "--:|--:|--:|"];
  const rows = (shown?.cases ?? []).map((line) => `${toRow(line)}${besideRow(line, others)} ${verdictOf(line)} |`);
  return [
    `### ${title}`,
    "",
    [shown, others].flatMap((section) => (section === undefined ? [] : [whereOf(section)])).join(" "),
    "",
    `${names}${further[0]} target |`,
    `${rule}${further[1]}---|`,
    ...rows,
  ].join("\n");
}

/** The same line on the other PostgreSQL. */
function besideRow(line: BenchCase, others: Section | undefined): string {
  if (others === undefined) return "";
  const other = others.cases.find((one) => one.case === line.case && one.baseline?.name === line.baseline?.name);
  if (other === undefined) return " | | |";
  const { measured, baseline } = other;
  const ratio = baseline === undefined ? "" : Math.round((measured.opsPerSecond / baseline.opsPerSecond) * 100) / 100;
  return ` ${rate(measured.opsPerSecond).slice(0, -2)} | ${Math.round(measured.p99Ms * 100) / 100} | ${ratio} |`;
}

function whereOf({ server, day, machine: where, versions, load, processors }: Section): string {
  const on = SERVERS[server] === "" ? "" : `${SERVERS[server]}: `;
  const busy = load > QUIET * processors ? ` **The machine was busy**: others used ${load.toFixed(1)} processors.` : "";
  return `${on}${day}, ${where}, ${versions}.${busy}`;
}

/** What is said of a line beside its figures: its target, and whether it was reached. Empty where it has none. */
function verdictOf(line: BenchCase): string {
  const target = targetOf(line);
  if (target === undefined) return "";
  return verdictsOf(target, line)
    .map(({ what, reached: holds }) => `${what}: ${holds ? "reached" : "**missed**"}`)
    .join("; ");
}
