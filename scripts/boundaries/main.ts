/**
 * `bun scripts/boundaries/main.ts [folder | files…]`: prints each import that the rules do not allow and how to put it
 * right. A folder is the root of another project to check. With files, the whole graph is read and these are judged.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { check } from "./check.ts";
import { readGraph } from "./graph.ts";

const [first = ".", ...others] = process.argv.slice(2);
const isRoot = existsSync(join(first, "package.json"));
const root = resolve(isRoot ? first : ".");
const files = isRoot ? undefined : new Set([first, ...others]);

const graph = readGraph(root, ["scripts/boundaries/fixture/"]);
const violations = check(graph).filter(({ file }) => files?.has(file) ?? true);
for (const { file, line, rule, message, fix } of violations) {
  console.log(`${file}:${line} ${rule}: ${message}\n  ${fix}`);
}
// A graph without modules means that the reader is broken, not that the code is clean.
const empty = graph.modules.length === 0 || graph.edges.length === 0;
if (empty) console.log(`Cannot check ${root} as no imports were found`);
console.log(`${graph.modules.length} modules, ${graph.edges.length} imports, ${violations.length} violations`);
process.exitCode = empty || violations.length > 0 ? 1 : 0;
