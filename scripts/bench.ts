import { ask, tell } from "./bench/memory.ts";
import { TABLE_HEAD, toJsonLine, toRow, type BenchCase } from "./bench/report.ts";
import { hot, turn } from "./bench/turn.ts";

const BENCHES: Readonly<Record<string, () => AsyncGenerator<BenchCase>>> = { ask, tell, turn, hot };

const args = process.argv.slice(2);
const json = args.includes("--json");
const names = args.filter((arg) => !arg.startsWith("--"));
if (!json) console.log(TABLE_HEAD);
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  const bench = BENCHES[name];
  if (bench === undefined) {
    console.error(`There is no benchmark "${name}". There are: ${Object.keys(BENCHES).join(", ")}`);
    process.exit(2);
  }
  for await (const line of bench()) console.log(json ? toJsonLine(line) : toRow(line));
}
process.exit(0);
