import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Docker from "dockerode";
import { Config } from "#actors/config/config.ts";
import type { ServiceConfig } from "#actors/service/messages.ts";
import { Service } from "#actors/service/service.ts";
import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import { eventually, startTestSystem } from "./testing/system.ts";
import type { TestSystem } from "./testing/system.ts";

let system: TestSystem;
let docker: Docker;

beforeAll(async () => {
  system = await startTestSystem();
  docker = new Docker({ socketPath: system.dockerHost.replace("unix://", "") });
  await ensureEchoImage(system.engine);
}, 180_000);
afterAll(async () => await system?.[Symbol.asyncDispose](), 60_000);

const echo = (replicas: number, change: Partial<ServiceConfig["spec"]> = {}): ServiceConfig => ({
  replicas,
  spec: {
    image: ECHO_IMAGE,
    command: ["serve"],
    env: { GREETING: "hello" },
    ports: [{ container: 8080, host: null }],
    resources: { memoryBytes: 64 << 20, cpus: 0.5, pids: 64 },
    ...change,
  },
});

const apply = (services: Record<string, ServiceConfig>) => system.troupe.ref(Config, "main").apply({ services });
const view = (name: string) => system.troupe.ref(Service, name).get();
const converged = (name: string, replicas: number) =>
  eventually(`${name} converges on ${replicas}`, async () => {
    const found = await view(name);
    return found?.status === "converged" && found.outbox === "DONE" && found.observed.length === replicas && found;
  });

async function greetings(name: string): Promise<string[]> {
  const running = (await system.engine.list(name)).filter((container) => container.state === "running");
  const ports = running.flatMap((container) => container.ports.map((port) => port.host));
  const answers = await Promise.all(ports.map(async (port) => (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { greeting: string }));
  return answers.map((answer) => answer.greeting);
}

describe("reconcileService", () => {
  test("brings three replicas up, heals, replaces, shrinks and removes, and leaves a foreign container alone", async () => {
    const foreign = await docker.createContainer({ Image: ECHO_IMAGE, Labels: { "troupe.service": "web", "troupe.cluster": "somebody-else" } });
    await foreign.start();
    try {
      await apply({ web: echo(3) });
      await converged("web", 3);
      expect(await greetings("web")).toEqual(["hello", "hello", "hello"]);

      const before = await system.engine.list("web");
      const victim = before[1]!;
      const killedAt = performance.now();
      await docker.getContainer(victim.id).kill();
      const healed = await eventually("the killed container runs again", async () => {
        const running = (await system.engine.list("web")).filter((c) => c.state === "running");
        return running.length === 3 && performance.now() - killedAt;
      });
      console.info(`healed in ${Math.round(healed)} ms`);
      await converged("web", 3);

      await apply({ web: echo(3, { env: { GREETING: "changed" } }) });
      await eventually("the new greeting", async () => (await greetings("web")).join() === "changed,changed,changed");
      const replaced = await converged("web", 3);
      expect(replaced.observed.every((c) => c.revision === replaced.desired.revision)).toBe(true);

      const kept = (await system.engine.list("web")).find((c) => c.replica === 0)!;
      await apply({ web: echo(1, { env: { GREETING: "changed" } }) });
      await converged("web", 1);
      const [last] = await system.engine.list("web");
      expect(last?.id).toBe(kept.id);
      expect(last?.startedAt).toBe(kept.startedAt);

      await apply({});
      await eventually("no container is left", async () => (await system.engine.list("web")).length === 0);
      await eventually("nothing is left of the service", async () => (await view("web")) === null);
      expect((await foreign.inspect()).State.Running).toBe(true);
      const types = system.events.filter((e) => e.data["name"] === "web" || e.data["service"] === "web").map((e) => e.type);
      expect(types.filter((type) => type === "service.configured.v1")).toHaveLength(4);
      expect(types.filter((type) => type === "service.reconciled.v1")).toHaveLength(4);
    } finally {
      await foreign.remove({ force: true });
    }
  }, 120_000);

  test("heals within moments", async () => {
    await apply({ healer: echo(3) });
    await converged("healer", 3);
    for (let i = 0; i < 8; i++) {
      const victim = (await system.engine.list("healer"))[i % 3]!;
      const at = performance.now();
      await docker.getContainer(victim.id).kill();
      const ms = await eventually("healed", async () => (await greetings("healer")).length === 3 && performance.now() - at);
      console.info(`healed in ${Math.round(ms)} ms`);
    }
    await apply({});
    await eventually("gone", async () => (await system.engine.list("healer")).length === 0);
  }, 60_000);

  test("restarts a crashing container with growing pauses and says so", async () => {
    await apply({ crashy: echo(1, { command: ["crash"], ports: [] }) });
    const found = await eventually("it is seen to loop", async () => {
      const now = await view("crashy");
      return now?.conditions.some((condition) => condition.type === "crash_looping") && now;
    });
    expect(found.status).toBe("degraded");
    const started = system.events.filter((e) => e.type === "container.started.v1" && e.data["service"] === "crashy");
    expect(started.length).toBeLessThanOrEqual(3);
    await apply({});
    await eventually("no container is left", async () => (await system.engine.list("crashy")).length === 0);
  }, 60_000);
});
