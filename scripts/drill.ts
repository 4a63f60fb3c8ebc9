#!/usr/bin/env bun
/** `bun run drill`: the disaster drill. See `--help`. */
import { parseArgs } from "node:util";
import { drill } from "./drill/drill.ts";

const USAGE = `bun run drill [--orders N]    backs a system up under load, destroys it, restores it, and counts

  --orders N  so many orders before the backup, and as many while it is taken (default: 20)
  --help      this text

It works in names of its own on the servers of a running "bun run dev", else on servers that it starts for itself; nothing of
yours is touched. It ends with 1 where anything was lost or doubled.`;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { orders: { type: "string", default: "20" }, help: { type: "boolean", short: "h", default: false } },
});
const orders = Number(values.orders);
if (values.help || !Number.isInteger(orders) || orders < 1 || orders > 400) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const since = performance.now();
  const say = (line: string): void =>
    console.log(`${((performance.now() - since) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  const { checks } = await drill({ orders, say });
  for (const { name, holds, expected, actual } of checks)
    console.log(`${holds ? "ok    " : "BROKEN"}  ${name}${holds ? "" : `: expected ${expected}, found ${actual}`}`);
  const broken = checks.filter(({ holds }) => !holds).length;
  console.log(broken === 0 ? "Nothing was lost, nothing was doubled" : `${broken} of ${checks.length} do not hold`);
  process.exit(broken === 0 ? 0 : 1);
}
