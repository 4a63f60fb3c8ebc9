#!/usr/bin/env bun
/** Writes the dashboards for Grafana: `bun scripts/ops/dashboards.ts`. A test says when they are not up to date. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { grafanaJson } from "#infra/observability/dashboard.ts";
import { DASHBOARDS } from "#infra/observability/dashboards.ts";

/** Where Grafana finds them, by file name. */
export const FOLDER = join(import.meta.dir, "../../infra/observability/grafana/dashboards");

if (import.meta.main) {
  for (const dashboard of DASHBOARDS) await writeFile(join(FOLDER, `${dashboard.uid}.json`), grafanaJson(dashboard));
}
