/**
 * A Kubernetes control plane for tests: etcd, API server, controllers and scheduler in one program of ours, built with Go
 * from the module proxy, and kwok, which plays the nodes. Containers do not run; everything else is the real thing.
 *
 * The build takes ten processor minutes: nobody waits for it unasked. `TROUPE_KUBE=1` allows it.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, install, oneAtATime } from "./cache.ts";
import { type GoBuild, goCommand, goProgram } from "./packages.ts";
import type { ObtainContext, Recipe } from "./recipe.ts";
import { UnavailableError } from "./types.ts";

const SOURCES = join(import.meta.dirname, "kubernetes");
const FILES = ["main.go", "go.mod", "go.sum"] as const;
const VERSION = "1.34.4";
const KWOK: GoBuild = {
  name: "kwok",
  version: "0.7.0",
  module: "sigs.k8s.io/kwok/cmd/kwok",
  binary: "kwok",
  flags: ["-trimpath", "-ldflags", "-s -w"],
  about: "3 to 4 processor minutes",
};
const BUILD_WITHIN_MS = 3_600_000;
const ALLOWED = "TROUPE_KUBE";

/** Kubernetes, for tests that ask for it; never part of a stack that did not. */
export const kubernetesRecipe: Recipe = {
  name: "kubernetes",
  title: `Kubernetes ${VERSION}`,
  // Not KUBECONFIG: tests must not run on a cluster that somebody works with.
  variable: "TROUPE_TEST_KUBECONFIG",
  readyWithinMs: 120_000,
  stop: { signal: "SIGTERM", withinMs: 10_000 },

  async obtain(context) {
    const version = `${VERSION}-${await sourcesHash()}`;
    const here = cached("kubernetes", version) !== undefined && cached(KWOK.name, KWOK.version) !== undefined;
    if (!here && process.env[ALLOWED] !== "1")
      throw new UnavailableError(
        "Kubernetes has not been built on this machine, which takes ten processor minutes",
        `${ALLOWED}=1 bun run stack --bring`,
      );
    const program = await built(context, version);
    const kwok = await goProgram(context, KWOK);
    return async (place) => {
      const [port, etcd, peer] = [await place.port(6443), await place.port(2379), await place.port(2380)];
      const address = join(place.dir, "kubeconfig");
      const ports = ["--port", String(port), "--etcd", String(etcd), "--peer", String(peer)];
      const args = ["up", "--dir", place.dir, "--kwok", kwok, ...ports];
      return { processes: [{ command: program, args }], address, env: { TROUPE_TEST_KUBECONFIG: address } };
    };
  },

  async probe(env) {
    const config = JSON.parse(await readFile(env["TROUPE_TEST_KUBECONFIG"] ?? "", "utf8")) as TestConfig;
    const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
    const response = await fetch(`${cluster?.server}/api/v1/namespaces/default/serviceaccounts/default`, {
      headers: { authorization: `Bearer ${user?.token}` },
      tls: { ca: await readFile(cluster?.["certificate-authority"] ?? "", "utf8") },
      signal: AbortSignal.timeout(3_000),
    });
    // The controllers make it: pods can be made from then on.
    if (!response.ok) throw new Error(`Kubernetes answered ${response.status}`);
  },
};

interface TestConfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority": string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

async function built(context: ObtainContext, version: string): Promise<string> {
  const folder = await install("kubernetes", version, context, async (target) => {
    const go = await goCommand(context, "Kubernetes");
    const sources = join(target, "sources");
    await mkdir(sources);
    for (const file of FILES) await copyFile(join(SOURCES, file), join(sources, file));
    await oneAtATime("build", context, async () => {
      context.doing(`building Kubernetes ${VERSION} (10 processor minutes, once)`);
      const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${VERSION}`;
      await context
        .run(go, ["build", "-trimpath", "-ldflags", flags, "-o", join(target, "kube"), "."], {
          cwd: sources,
          env: { GOFLAGS: "-buildvcs=false" },
          withinMs: BUILD_WITHIN_MS,
        })
        .catch((error: unknown) => {
          throw new UnavailableError(
            `Kubernetes could not be built: ${error instanceof Error ? error.message : String(error)}`,
            `${ALLOWED}=1 bun run stack --bring`,
            { cause: error },
          );
        });
    });
  });
  return join(folder, "kube");
}

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of FILES) hash.update(await readFile(join(SOURCES, file)));
  return hash.digest("hex").slice(0, 8);
}
