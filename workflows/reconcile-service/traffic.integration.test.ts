import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Forwarder } from "#actors/orchestrator/http/traffic/forwarder.ts";
import { DEFAULT_UPDATE } from "#actors/orchestrator/scaler/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import { silentLog } from "#runtime";
import { echo } from "./testing/services.ts";
import { startTestSystem, type TestSystem } from "./testing/system.ts";

setDefaultTimeout(90_000);

let system: TestSystem;
let forwarder: Forwarder;
let server: Bun.Server<undefined>;

beforeAll(async () => {
  system = await startTestSystem();
  await ensureEchoImage(system.engine);
  forwarder = new Forwarder({ troupe: () => system.troupe, topics: () => system.topics, log: silentLog });
  server = Bun.serve({
    port: 0,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const destination = forwarder.destinationOf(pathname, search.slice(1));
      if (!destination) return new Response(null, { status: 404 });
      try {
        const answer = await forwarder.forward(request, destination, "127.0.0.1", undefined);
        return answer ?? new Response(null, { status: 500 });
      } catch (error) {
        return new Response(String(error), { status: (error as { status?: number }).status ?? 500 });
      }
    },
  });
}, 180_000);
afterAll(async () => {
  forwarder?.stop();
  await server?.stop(true);
  await system?.[Symbol.asyncDispose]();
}, 60_000);

interface Said {
  readonly hostname: string;
  readonly greeting: string;
  readonly path: string;
  readonly method: string;
}
const ask = async (path: string, init?: RequestInit): Promise<Said> => {
  const response = await fetch(new URL(path, server.url), init);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Said;
};

/** Asks again and again from several clients at once, until it is stopped; counts what failed. */
function load(path: string, clients: number) {
  let stopped = false;
  let asked = 0;
  const failures: string[] = [];
  const greetings = new Set<string>();
  const running = Array.from({ length: clients }, async () => {
    while (!stopped) {
      asked++;
      await ask(path).then(
        ({ greeting }) => greetings.add(greeting),
        (error: unknown) => failures.push(String(error)),
      );
    }
  });
  return {
    greetings,
    async stop() {
      stopped = true;
      await Promise.all(running);
      return { asked, failures };
    },
  };
}

describe("requests for a service", () => {
  test("go to all of its replicas, with path, query and method as they were", async () => {
    await system.apply({ web: echo(3) });
    await system.converged("web", 3);
    expect(await ask("/s/web/a%20b/c?x=1", { method: "POST", body: "hello" })).toMatchObject({
      path: "/a b/c",
      method: "POST",
      greeting: "hello",
    });
    const hosts = new Set<string>();
    for (let i = 0; i < 30; i++) hosts.add((await ask("/s/web")).hostname);
    expect(hosts.size).toBe(3);
    expect((await fetch(new URL("/s/nobody/", server.url))).status).toBe(404);
  });

  test("do not fail while a revision is replaced, a replica is killed, or the service grows and shrinks", async () => {
    await system.apply({ web: echo(3) });
    await system.converged("web", 3);
    const clients = load("/s/web/", 8);
    const update = { ...DEFAULT_UPDATE, minReadyMs: 500 };
    await system.apply({ web: echo(3, { env: { GREETING: "changed" } }, { update }) });
    await system.converged("web", 3);
    await system.apply({ web: echo(5, { env: { GREETING: "changed" } }, { update }) });
    await system.converged("web", 5);
    await system.apply({ web: echo(2, { env: { GREETING: "changed" } }, { update }) });
    await system.converged("web", 2);
    const { asked, failures } = await clients.stop();
    console.log(`${asked} requests, ${failures.length} failed`);
    expect([...clients.greetings].sort()).toEqual(["changed", "hello"]);
    expect(failures.slice(0, 3)).toEqual([]);
    expect(asked).toBeGreaterThan(500);
  });

  test("wake a service that sleeps, and wait for it", async () => {
    const scale = { min: 0, max: 3, on: { inFlight: 5 }, upMs: 0, downMs: 1_000, toZeroAfterMs: 60_000 };
    await system.apply({ web: echo(1, {}, { scale }) });
    await system.converged("web", 1);
    const decision = { at: new Date().toISOString(), from: 1, to: 0, reason: "idle", metrics: {} };
    await system.troupe.ref(Service, "web").scaleTo({ replicas: 0, decision });
    await system.converged("web", 0);
    const at = performance.now();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask("/s/web/")));
    console.log(`awake after ${Math.round(performance.now() - at)} ms`);
    expect(answers).toHaveLength(10);
    expect((await system.troupe.ref(Service, "web").explain()).decisions[0]).toMatchObject({ from: 0, to: 1 });
  });
});
