#!/usr/bin/env bun
/**
 * The programs that check what operators are given: `promtool`, `helm`, `kubeconform`, `docker-compose`. Built with Go into
 * the cache, once per user: `bun scripts/ops/tools.ts [name…]`. Nothing else builds them: the checks that need one are
 * skipped where it is missing, since a build takes minutes.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "#infra/stack/cache.ts";
import { run, which } from "#infra/stack/command.ts";

/** By name: the module, its version, and where in it the program is. */
const TOOLS = {
  promtool: { module: "github.com/prometheus/prometheus", version: "v0.315.1", path: "cmd/promtool" },
  helm: { module: "helm.sh/helm/v3", version: "v3.21.4", path: "cmd/helm" },
  kubeconform: { module: "github.com/yannh/kubeconform", version: "v0.7.0", path: "cmd/kubeconform" },
  "docker-compose": { module: "github.com/docker/compose/v2", version: "v2.40.3", path: "cmd" },
} as const;

export type ToolName = keyof typeof TOOLS;

/** Where a tool is: in the cache, or on the PATH; `undefined` where there is none. */
export function tool(name: ToolName): string | undefined {
  const kept = cachePath(name);
  return existsSync(kept) ? kept : which(name);
}

function cachePath(name: ToolName): string {
  return join(cacheDir(), "tools", `${name}-${TOOLS[name].version.slice(1)}`);
}

async function build(name: ToolName): Promise<void> {
  const { module, version, path } = TOOLS[name];
  const folder = await mkdtemp(join(tmpdir(), "troupe-tool-"));
  const into = cachePath(name);
  const env = { GOFLAGS: "-buildvcs=false -trimpath -mod=mod" };
  try {
    await mkdir(join(cacheDir(), "tools"), { recursive: true });
    // A module of our own: `go install` refuses programs whose module replaces others.
    await run("go", ["mod", "init", "tool"], { cwd: folder, env });
    await run("go", ["get", "-tool", `${module}/${path}@${version}`], { cwd: folder, env });
    await run("go", ["build", "-ldflags", "-s -w", "-o", "built", `${module}/${path}`], { cwd: folder, env });
    await rename(join(folder, "built"), into).catch(async () => void (await run("mv", [join(folder, "built"), into])));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const names = (Object.keys(TOOLS) as ToolName[]).filter((name) => asked.length === 0 || asked.includes(name));
  for (const name of names) {
    const there = tool(name);
    if (there === undefined) {
      console.log(`${name}: building, which takes minutes`);
      await build(name);
    }
    console.log(`${name}: ${tool(name)}`);
  }
}
