import type { Edge, Graph } from "./graph.ts";
import { pattern } from "./pattern.ts";
import { WORKFLOW_BUNDLE } from "./rules.ts";
import type { Violation } from "./violation.ts";

const isEntry = pattern(WORKFLOW_BUNDLE.entry);
const allowed: readonly string[] = WORKFLOW_BUNDLE.packages;

/**
 * Packages and host modules that a workflow would pull into its bundle through the files it imports. They would load in
 * a replay too, where whatever is not a pure function of the history breaks the run, so the import is reported where it
 * stands, with the way that leads to it.
 */
export function bundleViolations({ modules, edges }: Graph): Violation[] {
  const values = Map.groupBy(
    edges.filter((edge) => !edge.typeOnly),
    (edge) => edge.from,
  );
  const found = new Map<Edge, Violation>();
  for (const entry of modules.filter((path) => isEntry(path))) {
    const ways = new Map([[entry, entry]]);
    for (const [path, way] of ways) {
      for (const edge of values.get(path) ?? []) {
        const { target } = edge;
        if (target.kind === "file" && !ways.has(target.path)) ways.set(target.path, `${way} → ${target.path}`);
        if (target.kind !== "package" && target.kind !== "builtin") continue;
        // What the workflow file itself imports is the matter of `workflow-pure`.
        if (path === entry || allowed.includes(target.name) || found.has(edge)) continue;
        found.set(edge, {
          file: path,
          line: edge.line,
          rule: "workflow-bundle",
          message: `${target.name} ends up in the bundle of ${way}`,
          fix: "Take only types on that way, or split the file so that the workflow imports its pure part",
        });
      }
    }
  }
  return [...found.values()];
}
