#!/usr/bin/env bun
/**
 * `bun scripts/api.ts`: compares what the doors of the package export with `infra/docs/api/`, a file for each door, so that a change
 * of what others build on is seen in review. `--accept` writes the files anew. Exits with 1 when they differ.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareApi } from "./api/report.ts";

const { values } = parseArgs({ options: { accept: { type: "boolean", default: false } } });
const lines = await compareApi(join(import.meta.dirname, ".."), values.accept);
for (const line of lines) console.log(line);
if (lines.length > 0 && !values.accept)
  console.log("Look at each line that goes: `bun scripts/api.ts --accept` takes them.");
process.exit(lines.length > 0 && !values.accept ? 1 : 0);
