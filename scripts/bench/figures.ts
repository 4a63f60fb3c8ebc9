/**
 * The figures that were measured last, by benchmark, part and PostgreSQL: kept in a file beside this one, which the page is made
 * of. A run replaces what it measured, and nothing else.
 */
import { join } from "node:path";
import type { BenchCase } from "./report.ts";

/** What one part of a benchmark has measured, and where. */
export interface Section {
  readonly bench: string;
  /** The part; empty where the benchmark is one. */
  readonly group: string;
  /** Which PostgreSQL it ran on, if any. */
  readonly server: "tuned" | "delivered" | "none";
  /** The day, as in `2026-11-29`. */
  readonly day: string;
  readonly machine: string;
  readonly versions: string;
  /** Processors that others used as the run began. */
  readonly load: number;
  /** How many processors share it. */
  readonly processors: number;
  readonly cases: readonly BenchCase[];
}

const FILE = join(import.meta.dirname, "figures.json");

/** Everything that was measured. */
export async function readFigures(file = FILE): Promise<readonly Section[]> {
  const found = Bun.file(file);
  return (await found.exists()) ? ((await found.json()) as readonly Section[]) : [];
}

/** Writes them, rounded as far as a page shows them. */
export async function writeFigures(sections: readonly Section[], file = FILE): Promise<void> {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(6)) : value;
  await Bun.write(file, `${JSON.stringify(sections, round, 1)}\n`);
}

/** The sections with this one in the place of that of the same part and PostgreSQL. */
export function withSection(sections: readonly Section[], section: Section): readonly Section[] {
  const isSame = ({ bench, group, server }: Section): boolean =>
    bench === section.bench && group === section.group && server === section.server;
  return [...sections.filter((one) => !isSame(one)), section];
}
