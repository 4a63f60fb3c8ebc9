import { findCycles } from "./cycles.ts";
import type { Edge, Graph } from "./graph.ts";
import { anyOf, pattern } from "./pattern.ts";
import { ARROWS, EXAMPLES, LEVELS, NARROW, NEVER, PACKAGES, ROOMS, TESTS, TYPE_ONLY_TARGETS } from "./rules.ts";
import type { Violation } from "./violation.ts";
import { bundleViolations } from "./workflow-bundle.ts";

type Finding = Pick<Violation, "rule" | "message" | "fix">;

const isTest = anyOf(TESTS);
const isExample = pattern(EXAMPLES);
const arrows = ARROWS.map((arrow) => ({ ...arrow, fits: pattern(arrow.from, arrow.to) }));
const typeOnlyTargets = TYPE_ONLY_TARGETS.map(({ from, to }) => pattern(from, to));
const packages = PACKAGES.map((row) => ({ ...row, holds: pattern(row.files) }));
const never = NEVER.map((row) => ({
  ...row,
  fits: pattern(row.from, row.to),
  allows: anyOf(row.except ? [row.except] : []),
}));
const narrow = NARROW.map((row) => ({
  ...row,
  holds: pattern(row.files),
  allows: row.to.map((to) => pattern(row.files, to)),
  allowsType: anyOf(row.typeOnly),
}));

/** Everything in the graph that the rules do not allow, sorted by file and line. */
export function check(graph: Graph): Violation[] {
  const violations = graph.edges.flatMap((edge) => findings(edge).map((finding) => at(edge, finding)));
  for (const cycle of findCycles(graph)) {
    const [first] = cycle;
    if (first) violations.push(at(first, cycleFinding(cycle)));
  }
  violations.push(...bundleViolations(graph));
  return violations.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.rule.localeCompare(b.rule));
}

function at(edge: Edge, finding: Finding): Violation {
  return { file: edge.from, line: edge.line, ...finding };
}

function findings(edge: Edge): Finding[] {
  const { from, target, specifier } = edge;
  if (target.kind === "missing") {
    return [
      { rule: "unresolved", message: `"${specifier}" leads to no file`, fix: "Correct the path, with its ending" },
    ];
  }
  if (target.kind !== "file") return packageFindings(edge, target.name);
  const arrow = arrowFinding(from, target.path) ?? roomFinding(from, target.path);
  if (arrow) return [arrow];
  return [...narrowFindings(edge, target.path), ...nameFindings(edge, target.path)];
}

function arrowFinding(from: string, to: string): Finding | undefined {
  if (arrows.some((arrow) => (!arrow.testsOnly || isTest(from)) && arrow.fits(from, to))) return undefined;
  const [above, below] = [levelOf(from), levelOf(to)];
  const message = `${from} may not import ${to}`;
  if (below > above || below < 0) {
    return {
      rule: "arrow",
      message: `${message}: ${areaOf(to)} is above ${areaOf(from)}`,
      fix: "Turn the dependency round: define a port or a message below, and pass what is above in",
    };
  }
  if (areaOf(to) === "runtime") {
    return {
      rule: "door",
      message: `${message}: it is no door for this file`,
      fix: "Import from #runtime (#runtime/internal is for adapters, #runtime/testing/… for tests), and export there what is missing",
    };
  }
  if (above === below) {
    return {
      rule: "neighbour",
      message: `${message}: it belongs to a neighbour`,
      fix: "Import the neighbour's messages.ts, or move what both need there",
    };
  }
  return { rule: "arrow", message, fix: "See the rows of scripts/boundaries/rules.ts for what this file may import" };
}

function roomFinding(from: string, to: string): Finding | undefined {
  if (isTest(from)) return undefined;
  const message = `${from} may not import ${to}`;
  const row = never.find(({ fits, allows }) => fits(from, to) && !allows(to));
  if (row) return { rule: "room", message, fix: row.fix };
  const [above, below] = [roomOf(from), roomOf(to)];
  if (above < 0 || below < 0 || above <= below) return undefined;
  return {
    rule: "room-above",
    message: `${message}: runtime/${ROOMS[below]} is above runtime/${ROOMS[above]}`,
    fix: "Put what both need into the lower room, or pass it in when the part is made",
  };
}

function narrowFindings(edge: Edge, to: string): Finding[] {
  const found: Finding[] = [];
  for (const row of narrow) {
    if (!row.holds(edge.from)) continue;
    const allowed = row.allows.some((fits) => fits(edge.from, to)) || (edge.typeOnly && row.allowsType(to));
    if (!allowed) found.push({ rule: row.rule, message: `${edge.from} may not import ${to}`, fix: row.fix });
  }
  if (!edge.typeOnly && typeOnlyTargets.some((fits) => fits(edge.from, to))) {
    found.push({ rule: "type-only", message: `${edge.from} takes ${to} as a value`, fix: "Write `import type`" });
  }
  return found;
}

function nameFindings({ from, specifier }: Edge, to: string): Finding[] {
  const byName = !/^[.#/]/u.test(specifier);
  if (byName && !isExample(from)) {
    return [
      {
        rule: "by-name",
        message: `"${specifier}" is the name for other projects`,
        fix: `Import ${to} by its path or its #name`,
      },
    ];
  }
  if (byName || areaOf(from) === areaOf(to) || specifier.startsWith("#")) return [];
  return [
    {
      rule: "by-name",
      message: `"${specifier}" crosses from ${areaOf(from)} to ${areaOf(to)} by path`,
      fix: `Import it by its #${areaOf(to)} name`,
    },
  ];
}

function packageFindings({ from, target }: Edge, name: string): Finding[] {
  const message = `${from} may not import ${name}`;
  const found = narrow
    .filter((row) => row.holds(from) && !row.packages.includes(name))
    .map(({ rule, fix }): Finding => ({ rule, message, fix }));
  const row = packages.find(({ holds }) => holds(from));
  const free = target.kind === "builtin" && from.endsWith(".test.ts");
  if (row && !free && !row.packages.includes(name)) found.push({ rule: "package", message, fix: row.fix });
  return found;
}

function cycleFinding(cycle: readonly Edge[]): Finding {
  const way = [...cycle.map(({ from }) => from), cycle[0]?.from].join(" → ");
  return { rule: "cycle", message: way, fix: "Move what they share into a file that imports none of them" };
}

function areaOf(path: string): string {
  return path.slice(0, path.indexOf("/"));
}

function levelOf(path: string): number {
  return LEVELS.findIndex((areas) => areas.includes(areaOf(path)));
}

/** The place of a file's room from the top; -1 where it stands in none. */
function roomOf(path: string): number {
  const [area, room] = path.split("/");
  return area === "runtime" && room !== undefined ? ROOMS.indexOf(room) : -1;
}
