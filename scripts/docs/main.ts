/**
 * `bun scripts/docs/main.ts [folder]`: prints what the docstrings of the public doors lack. A folder is the root of
 * another project to check.
 */
import { resolve } from "node:path";
import { checkDocs } from "./check.ts";

const { symbols, examples, faults } = checkDocs(resolve(process.argv[2] ?? "."));
for (const fault of faults) console.log(fault);
console.log(`${symbols} symbols, ${examples} examples, ${faults.length} faults`);
// A door without symbols means that the reader is broken, not that all is documented.
process.exitCode = symbols === 0 || faults.length > 0 ? 1 : 0;
