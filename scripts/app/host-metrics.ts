import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { PoolUse } from "#infra/postgres/pool-use.ts";
import type { Prometheus } from "#infra/telemetry/prometheus.ts";

const MANIFEST = join(import.meta.dir, "../../package.json");

/** What {@link describeHost} looks at. */
export interface LookedAtHost {
  /** Where the process keeps files: its disk is the one that is looked at. */
  readonly dataFolder: string;
  /** The commit that the program was built from; empty where it is not known. */
  readonly revision: string;
  /** By database. */
  readonly pools: () => ReadonlyMap<string, PoolUse>;
}

/** The metrics of what the process runs on: its build, its disk, its connections to the databases. */
export function describeHost(made: Prometheus, { dataFolder, revision, pools }: LookedAtHost): void {
  const { version } = JSON.parse(readFileSync(MANIFEST, "utf8")) as { readonly version: string };
  const build = { version, revision, bun: Bun.version };
  made.gauge("troupe_build_info", "What runs here; always 1", Object.keys(build), () => [{ labels: build, value: 1 }]);
  made.gauge("troupe_disk_free_bytes", "Free space where the process keeps its files", [], async () => {
    const { bavail, bsize } = await statfs(nearest(dataFolder));
    return [{ value: bavail * bsize }];
  });
  made.gauge("troupe_disk_size_bytes", "Size of the disk where the process keeps its files", [], async () => {
    const { blocks, bsize } = await statfs(nearest(dataFolder));
    return [{ value: blocks * bsize }];
  });
  made.gauge("troupe_pool_queries", "Queries under way, or waiting for a connection", ["database"], () =>
    [...pools()].map(([database, { queries }]) => ({ labels: { database }, value: queries })),
  );
  made.gauge("troupe_pool_connections", "Connections a pool may have", ["database"], () =>
    [...pools()].map(([database, { max }]) => ({ labels: { database }, value: max })),
  );
}

/** The folder, or the one above it that is there already. */
function nearest(folder: string): string {
  let path = resolve(folder);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}
