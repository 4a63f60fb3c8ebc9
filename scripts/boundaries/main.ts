/** `bun scripts/boundaries/main.ts [root]`: prints each import that the rules do not allow and how to put it right. */
import { resolve } from "node:path";
import { check } from "./check.ts";
import { readGraph } from "./graph.ts";

const root = resolve(process.argv[2] ?? `${import.meta.dir}/../..`);
const graph = readGraph(root, ["scripts/boundaries/fixture/"]);
const violations = check(graph);
for (const { file, line, rule, message, fix } of violations) {
  console.log(`${file}:${line} ${rule}: ${message}\n  ${fix}`);
}
// A graph without modules means that the reader is broken, not that the code is clean.
const empty = graph.modules.length === 0 || graph.edges.length === 0;
if (empty) console.log(`Cannot check ${root} as no imports were found`);
console.log(`${graph.modules.length} modules, ${graph.edges.length} imports, ${violations.length} violations`);
process.exitCode = empty || violations.length > 0 ? 1 : 0;
