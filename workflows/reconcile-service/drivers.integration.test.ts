/** The same services on the other engines: plain processes, and a Kubernetes cluster where one can be had. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_UPDATE } from "#actors/orchestrator/scaler/messages.ts";
import { runningLoops, sweep } from "#actors/orchestrator/scaler/sweep.ts";
import { wakeThrough } from "#actors/orchestrator/scaler/watcher.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { EngineError } from "#infra/engines/errors.ts";
import { Images } from "#infra/engines/images.ts";
import { kubernetesEngine } from "#infra/kubernetes/engine.ts";
import { testNamespace } from "#infra/kubernetes/testing/namespace.ts";
import { processEngine } from "#infra/processes/engine.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { UnavailableError } from "#infra/stack/types.ts";
import { echo } from "./testing/services.ts";
import { eventually, startTestSystem, type TestSystem } from "./testing/system.ts";

setDefaultTimeout(300_000);

const FAST = { ...DEFAULT_UPDATE, minReadyMs: 300 };
const kubeconfig = await testServer("kubernetes").catch((error: unknown) => {
  if (!(error instanceof UnavailableError)) throw error;
  console.warn(`Services on Kubernetes are not tested: ${error.message}`);
  return undefined;
});

/** Made, updated, scaled, healed and removed. `kill` ends a container without telling anybody. */
async function life(system: TestSystem, kill: (id: string) => Promise<unknown>): Promise<void> {
  await system.apply({ web: echo(2, {}, { update: FAST }) });
  const first = await system.converged("web", 2);
  await system.apply({ web: echo(2, { env: { GREETING: "new" } }, { update: FAST }) });
  const second = await system.converged("web", 2);
  expect(second.desired.revision).not.toBe(first.desired.revision);
  const seen = await system.engine.list("web");
  expect(seen.map(({ revision, replica }) => [revision, replica])).toEqual([
    [second.desired.revision, 0],
    [second.desired.revision, 1],
  ]);
  await system.apply({ web: echo(3, { env: { GREETING: "new" } }, { update: FAST }) });
  await system.converged("web", 3);
  const [victim] = await system.engine.list("web");
  await kill(victim?.id ?? "");
  await eventually("it is healed", async () => {
    const now = (await system.engine.list("web")).filter(({ state, startedAt }) => state === "running" && startedAt);
    return now.length === 3 && now.every(({ id, startedAt }) => id !== victim?.id || startedAt !== victim.startedAt);
  });
  await system.converged("web", 3);
  await system.apply({});
  await eventually("nothing is left", async () => (await system.view("web")) === null);
  expect(await system.engine.list()).toEqual([]);
}

describe("on plain processes", () => {
  const BROKEN = "troupe/broken:1";
  let directory = "";
  let system: TestSystem;
  let buildable = false;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "troupe-drivers-"));
    const build = (engine: Engine, reference: string) => async (): Promise<void> => {
      if (reference !== BROKEN) return await ensureEchoImage(engine);
      if (!buildable) throw new EngineError("refused", "Cannot compile it: there is no Go");
      const from = join(directory, "context");
      await Bun.write(join(from, "Dockerfile"), 'FROM scratch\nENTRYPOINT ["sleep", "3600"]\n');
      await engine.buildImage({ tag: BROKEN, directory: from, files: ["Dockerfile"] });
    };
    system = await startTestSystem({
      engine: (cluster) => processEngine({ cluster, directory }),
      images: (engine) => new Images(engine, (reference) => build(engine, reference)),
    });
  }, 180_000);
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  test("a service is made, updated, scaled, healed and removed", async () => {
    await life(system, (id) => system.engine.stop(id, 0));
  });

  test("who was given a port by chance makes way for the service that pins it, and comes back at another one", async () => {
    await system.apply({ holder: echo(1) });
    const before = await system.converged("holder", 1);
    const port = before.observed[0]?.hostPorts[0] ?? 0;
    await system.apply({ holder: echo(1), pinned: echo(1, { ports: [{ container: 8080, host: port }] }) });
    const pinned = await system.converged("pinned", 1);
    expect(pinned.observed[0]?.hostPorts).toEqual([port]);
    const after = await eventually("the holder is elsewhere", async () => {
      const view = await system.view("holder");
      return view?.status === "converged" && view.observed[0]?.hostPorts[0] !== port && view;
    });
    expect(after.observed[0]?.healthy).toBe(true);
    await eventually("both answer", async () => {
      const ports = [port, after.observed[0]?.hostPorts[0]];
      const answers = await Promise.all(ports.map((at) => fetch(`http://127.0.0.1:${at}/`)));
      return answers.every(({ ok }) => ok);
    });
  });

  test("an image that cannot be built is said so, with the reason, until it can be", async () => {
    await system.apply({ unbuilt: echo(1, { image: BROKEN, command: [], ports: [] }) });
    await eventually("it is said", async () => {
      const view = await system.view("unbuilt");
      return view?.conditions.some(
        ({ type, message }) => type === "image_unavailable" && message.includes("there is no Go"),
      );
    });
    buildable = true;
    await system.converged("unbuilt", 1);
    expect((await system.view("unbuilt"))?.conditions).toEqual([]);
  });
});

test("a container whose end nobody was told of is found by the sweep, and one that no service knows is removed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "troupe-drivers-"));
  try {
    const engine = (cluster: string) => processEngine({ cluster, directory });
    await using system = await startTestSystem({ engine, watched: false });
    await system.apply({ web: echo(2) });
    await system.converged("web", 2);
    const options = {
      services: async () =>
        (await system.troupe.list(Service)).map(({ key, state }) => ({
          name: key,
          settled: state.status === "converged",
          containers: state.observed.map(({ containerId }) => containerId),
        })),
      containers: () => system.engine.list(),
      // Temporal's list is a moment behind: a loop that is known to run is not woken for that.
      running: async () => new Set([...(await runningLoops(system.temporal, system.names)()), "web"]),
      wake: (service: string) => void wakeThrough(system.temporal, system.names)(service),
    };
    expect(await sweep(options)).toEqual([]);
    const [victim, model] = await system.engine.list("web");
    await system.engine.stop(victim?.id ?? "", 0);
    expect(await sweep(options)).toEqual(["web"]);
    await eventually("it runs again, and the service knows it", async () => {
      const all = await system.engine.list("web");
      return all.every(({ state }) => state === "running") && (await sweep(options)).length === 0;
    });
    const spec = { ...echo(1).spec, service: "stray", revision: "r", replica: 0, env: {} };
    await system.engine.create({ ...spec, cluster: system.engine.cluster, imageId: model?.imageId ?? null });
    expect(await sweep(options)).toEqual(["stray"]);
    await eventually("the stray is gone", async () => (await system.engine.list("stray")).length === 0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

describe("on Kubernetes", () => {
  test.skipIf(kubeconfig === undefined)("a service is made, updated, scaled, healed and removed", async () => {
    await using space = await testNamespace(kubeconfig ?? "");
    const engine = (cluster: string) => kubernetesEngine({ kubeconfig, namespace: space.name, cluster });
    await using system = await startTestSystem({ engine });
    await life(system, (id) => space.crash(id));
  });
});
