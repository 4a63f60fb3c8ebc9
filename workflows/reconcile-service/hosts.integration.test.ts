import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import { echo } from "./testing/services.ts";
import { eventually, startTestSystem, type TestSystem } from "./testing/system.ts";

setDefaultTimeout(120_000);

let system: TestSystem;
let dockerd: OwnBroker;
let other: Engine;

beforeAll(async () => {
  [system, dockerd] = await Promise.all([startTestSystem({ host: "a" }), OwnBroker.start("docker")]);
  other = await system.addHost("b", dockerd.address);
  await Promise.all([ensureEchoImage(system.engine), ensureEchoImage(other)]);
}, 240_000);
afterAll(async () => {
  await system?.[Symbol.asyncDispose]();
  // In peace: it takes its mounts with it.
  await dockerd?.kill("SIGTERM");
  await dockerd?.[Symbol.asyncDispose]();
}, 60_000);

const running = async (engine: Engine): Promise<string[]> =>
  (await engine.list("spread")).filter(({ state }) => state === "running").map(({ replica }) => `${replica}`);

test("replicas are spread over two hosts, each filled by its own process, and never doubled", async () => {
  await eventually("both hosts are known", async () => {
    await system.apply({ spread: echo(4) });
    const view = await system.view("spread");
    return new Set(view?.observed.map(({ host }) => host)).size === 2;
  });
  const view = await system.converged("spread", 4);
  expect(view.observed.filter(({ host }) => host === "a")).toHaveLength(2);
  expect([...(await running(system.engine)), ...(await running(other))].sort()).toEqual(["0", "1", "2", "3"]);
  await system.apply({ spread: echo(2) });
  await system.converged("spread", 2);
  await system.apply({ spread: echo(4) });
  await system.converged("spread", 4);
});

test("a host whose engine is killed is said to be away, the other one goes on, and nothing is doubled when it is back", async () => {
  await dockerd.kill();
  await eventually("it is seen", async () => {
    const view = await system.view("spread");
    return view?.status === "degraded" && view.conditions.some(({ type }) => type === "docker_unavailable") && view;
  });
  const before = await running(system.engine);
  const [victim] = await system.engine.list("spread");
  await system.engine.stop(victim!.id, 0);
  await eventually("the other host heals its own", async () => (await running(system.engine)).length === before.length);
  expect((await running(system.engine)).sort()).toEqual(before.sort());
  await dockerd.start();
  await system.converged("spread", 4);
  expect([...(await running(system.engine)), ...(await running(other))].sort()).toEqual(["0", "1", "2", "3"]);
});
