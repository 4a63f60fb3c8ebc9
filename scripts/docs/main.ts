/**
 * `bun scripts/docs/main.ts [folder]`: prints what the docstrings of the public doors lack. A folder is the root of
 * another project to check. `--write` makes the pages anew that are made from the code.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkDocs } from "./check.ts";

const [argument = "."] = process.argv.slice(2);
if (argument === "--write") {
  const { GENERATED } = await import("./generated.ts");
  const root = resolve(import.meta.dir, "../..");
  for (const { path, text } of GENERATED) writeFileSync(join(root, path), text(root));
} else {
  const { symbols, examples, faults } = checkDocs(resolve(argument));
  for (const fault of faults) console.log(fault);
  console.log(`${symbols} symbols, ${examples} examples, ${faults.length} faults`);
  // A door without symbols means that the reader is broken, not that all is documented.
  process.exitCode = symbols === 0 || faults.length > 0 ? 1 : 0;
}
