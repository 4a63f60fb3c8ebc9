import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Worker } from "@temporalio/worker";
import Docker from "dockerode";
import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { cuttableSocket } from "./testing/cuttable-socket.ts";
import { echo } from "./testing/services.ts";
import { eventually, startTestSystem } from "./testing/system.ts";
import type { TestSystem } from "./testing/system.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let system: TestSystem;
let docker: Docker;

beforeAll(async () => {
  system = await startTestSystem();
  docker = new Docker({ socketPath: system.dockerHost.replace("unix://", "") });
  await ensureEchoImage(system.engine);
}, 180_000);
afterAll(async () => await system?.[Symbol.asyncDispose](), 60_000);

async function greetings(name: string): Promise<string[]> {
  const running = (await system.engine.list(name)).filter((container) => container.state === "running");
  const ports = running.flatMap((container) => container.ports.map((port) => port.host));
  const answers = await Promise.all(
    ports.map(async (port) => (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { greeting: string }),
  );
  return answers.map((answer) => answer.greeting);
}

describe("reconcileService", () => {
  test("brings three replicas up, heals, replaces, shrinks and removes, and leaves a foreign container alone", async () => {
    const foreign = await docker.createContainer({
      Image: ECHO_IMAGE,
      Labels: { "troupe.service": "web", "troupe.cluster": "somebody-else" },
    });
    await foreign.start();
    try {
      await system.apply({ web: echo(3) });
      await system.converged("web", 3);
      expect(await greetings("web")).toEqual(["hello", "hello", "hello"]);

      const before = await system.engine.list("web");
      const victim = before[1]!;
      await docker.getContainer(victim.id).kill();
      await eventually("the killed container runs again", async () => {
        const running = (await system.engine.list("web")).filter((c) => c.state === "running");
        return running.length === 3;
      });
      await system.converged("web", 3);

      await system.apply({ web: echo(3, { env: { GREETING: "changed" } }) });
      await eventually("the new greeting", async () => (await greetings("web")).join() === "changed,changed,changed");
      const replaced = await system.converged("web", 3);
      expect(replaced.observed.every((c) => c.revision === replaced.desired.revision)).toBe(true);

      const kept = (await system.engine.list("web")).find((c) => c.replica === 0)!;
      await system.apply({ web: echo(1, { env: { GREETING: "changed" } }) });
      await system.converged("web", 1);
      const [last] = await system.engine.list("web");
      expect(last?.id).toBe(kept.id);
      expect(last?.startedAt).toBe(kept.startedAt);

      await system.apply({});
      await eventually("no container is left", async () => (await system.engine.list("web")).length === 0);
      await eventually("nothing is left of the service", async () => (await system.view("web")) === null);
      expect((await foreign.inspect()).State.Running).toBe(true);
      const types = system.events
        .filter((e) => e.data["name"] === "web" || e.data["service"] === "web")
        .map((e) => e.type);
      expect(types.filter((type) => type === "service.configured.v1")).toHaveLength(4);
      expect(types.filter((type) => type === "service.reconciled.v1")).toHaveLength(4);
    } finally {
      await foreign.remove({ force: true });
    }
  }, 120_000);

  test("heals a killed container without waiting for its next look, however often", async () => {
    await system.apply({ healer: echo(3) });
    await system.converged("healer", 3);
    for (let i = 0; i < 8; i++) {
      const victim = (await system.engine.list("healer"))[i % 3]!;
      const at = performance.now();
      await docker.getContainer(victim.id).kill();
      const healedMs = await eventually(
        "healed",
        async () => (await greetings("healer")).length === 3 && performance.now() - at,
      );
      // The next look would be 15 s away.
      expect(healedMs).toBeLessThan(10_000);
    }
    await system.apply({});
    await eventually("gone", async () => (await system.engine.list("healer")).length === 0);
  }, 60_000);

  test("restarts a crashing container with growing pauses and says so", async () => {
    await system.apply({ crashy: echo(1, { command: ["crash"], ports: [] }) });
    const found = await eventually("it is seen to loop", async () => {
      const now = await system.view("crashy");
      return now?.conditions.some((condition) => condition.type === "crash_looping") && now;
    });
    expect(found.status).toBe("degraded");
    const started = system.events.filter((e) => e.type === "container.started.v1" && e.data["service"] === "crashy");
    expect(started.length).toBeLessThanOrEqual(3);
    await system.apply({});
    await eventually("no container is left", async () => (await system.engine.list("crashy")).length === 0);
  }, 60_000);

  test("says so when the engine is away, and goes on when it is back", async () => {
    await using socket = await cuttableSocket(await testServer("docker"));
    await using apart = await startTestSystem({ dockerHost: socket.host });
    await apart.apply({ cut: echo(2) });
    await apart.converged("cut", 2);

    socket.cut();
    await apart.apply({ cut: echo(3) });
    const away = await eventually("the condition", async () => {
      const now = await apart.view("cut");
      return now?.conditions.some((condition) => condition.type === "docker_unavailable") && now;
    });
    expect(away.status).toBe("degraded");
    expect(away.observed).toHaveLength(2);

    socket.mend();
    await apart.converged("cut", 3);
    // The stream of events was opened again: a death is seen without waiting for the next look.
    const victim = (await apart.engine.list("cut"))[0]?.id ?? "";
    const killedAt = performance.now();
    await docker.getContainer(victim).kill();
    await eventually("healed", async () => (await apart.engine.inspect(victim))?.state === "running");
    expect(performance.now() - killedAt).toBeLessThan(10_000);
  }, 90_000);

  test("works the same when it is replayed from its history at every task, and its history replays", async () => {
    await using fresh = await startTestSystem({ maxCachedWorkflows: 0 });
    await fresh.apply({ replayed: echo(1) });
    await fresh.converged("replayed", 1);
    const handle = fresh.temporal.client.workflow.getHandle(fresh.workflowId("replayed"));
    const history = await handle.fetchHistory();
    await Worker.runReplayHistory(
      { workflowsPath: new URL("./workflow.ts", import.meta.url).pathname },
      history,
      fresh.workflowId("replayed"),
    );
    await fresh.apply({});
    await handle.result();
    expect(await fresh.engine.list("replayed")).toEqual([]);
  }, 90_000);
});
