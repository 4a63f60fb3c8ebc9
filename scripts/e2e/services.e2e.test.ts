import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { LABELS } from "#infra/engines/identity.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

setDefaultTimeout(120_000);

let harness: Harness;
let app: AppProcess;
let url: string;
let docker: Docker;
let data: string;

beforeAll(async () => {
  const host = await testServer("docker");
  docker = new Docker({ socketPath: host.replace("unix://", "") });
  data = await mkdtemp(join(tmpdir(), "troupe-services-"));
  harness = await openHarness({
    environment: {
      DOCKER_HOST: host,
      TROUPE_ROLES: "ingress,actors,workflows,scaler",
      TROUPE_DATA: data,
      TROUPE_HOST: "here",
      TROUPE_BIND_ROOTS: data,
    },
  });
  await start();
}, 300_000);
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await Promise.allSettled((await containers()).map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
  await docker
    .getVolume(`troupe-${harness?.cluster}-data`)
    .remove({ force: true })
    .catch(() => undefined);
  await docker
    .getNetwork(`troupe-${harness?.cluster}-back`)
    .remove()
    .catch(() => undefined);
  await rm(data, { recursive: true, force: true });
}, 120_000);

async function start(): Promise<void> {
  app = harness.start();
  await app.ready();
  url = await app.listening();
}
const containers = () =>
  docker.listContainers({ all: true, filters: { label: [`${LABELS.cluster}=${harness.cluster}`] } });

// The answers of many routes, looked into by tests only.
type Answer = { readonly status: number; readonly body: Record<string, unknown> };
async function ask(method: string, path: string, body?: string, type = "application/json"): Promise<Answer> {
  const init = body === undefined ? { method } : { method, body, headers: { "content-type": type } };
  const response = await fetch(new URL(path, url), init);
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : {} } as Answer;
}
const post = (yaml: string) => ask("POST", "/config", yaml, "application/yaml");
const converged = (name: string, replicas: number, more: (body: Answer["body"]) => boolean = () => true) =>
  eventually(`${name} converges on ${replicas}`, 60_000, async () => {
    const { body } = await ask("GET", `/services/${name}`);
    const observed = (body["observed"] ?? []) as { healthy: boolean }[];
    return (
      body["status"] === "converged" &&
      observed.length === replicas &&
      observed.every((one) => one.healthy) &&
      more(body) &&
      body
    );
  });

const FILE = (greeting: string, replicas = 3) => `
services:
  web:
    image: troupe/echo:1
    replicas: ${replicas}
    command: ["serve"]
    env: { GREETING: ${greeting}, TOKEN: { secret: token }, CODE: 0123 }
    ports: [8080]
    volumes: ["data:/data", "./:/www:ro"]
    health: { http: /health, port: 8080, interval: 500ms, timeout: 1s, retries: 3, startPeriod: 5s }
    resources: { memory: 64MiB, cpus: 0.5, pids: 100 }
    update: { order: start-first, maxSurge: 1, maxUnavailable: 0, minReady: 500ms }
    dependsOn: [db]
    networks: [back]
    stop: { grace: 3s }
  db:
    image: troupe/echo:1
    ports: [8080]
    networks: [back]
`;

describe("a configuration file", () => {
  test("gives what it says, seen from outside", async () => {
    expect((await ask("PUT", "/secrets/token", JSON.stringify({ value: "s3cret" }))).status).toBe(201);
    const taken = await post(FILE("hello"));
    expect([taken.status, taken.body["revision"]]).toEqual([202, 1]);
    const web = await converged("web", 3);
    expect((web["observed"] as { host: string }[]).map(({ host }) => host)).toEqual(["here", "here", "here"]);
    expect((await ask("GET", "/hosts")).body).toMatchObject({
      items: [{ name: "here", driver: "docker", state: "ready" }],
    });

    const said = (await (await fetch(new URL("/s/web/a?b=c", url))).json()) as { greeting: string; path: string };
    expect(said).toMatchObject({ greeting: "hello", path: "/a" });
    const [first] = (web["observed"] as { containerId: string }[]).map(({ containerId }) =>
      docker.getContainer(containerId),
    );
    const info = await first!.inspect();
    expect(info.Config.Env).toEqual(expect.arrayContaining(["TOKEN=s3cret", "CODE=0123"]));
    expect(info.Mounts.map(({ Destination }) => Destination).sort()).toEqual(["/data", "/www"]);

    expect((await ask("GET", "/services/web/stats")).body).toMatchObject({
      items: [{ pids: expect.any(Number) }, {}, {}],
    });
    const happened = (await ask("GET", "/services/web/events")).body["items"] as { type: string }[];
    expect(happened.map(({ type }) => type)).toEqual(["converged", "waiting", "configured"]);
    const again = await ask("GET", "/config");
    const back = await ask("POST", "/config", JSON.stringify({ services: again.body["services"] }));
    expect([back.status, back.body["revision"]]).toEqual([202, 1]);
  });

  test("is replaced without a failed request, also when the app is killed in the middle", async () => {
    await post(FILE("hello"));
    await converged("web", 3);
    await post(FILE("killed"));
    await eventually("the update is under way", 30_000, async () => (await containers()).length > 4);
    await app.kill();
    await start();
    await converged("web", 3, (body) => (body["desired"] as { revision: string })["revision"] !== "");
    let failed = 0;
    const greetings = new Set<string>();
    let going = true;
    const clients = Array.from({ length: 4 }, async () => {
      while (going)
        await fetch(new URL("/s/web/", url))
          .then(async (response) => {
            if (response.status !== 200) failed++;
            else greetings.add(((await response.json()) as { greeting: string }).greeting);
          })
          .catch(() => failed++);
    });
    await post(FILE("again"));
    await eventually("the new revision serves", 60_000, async () => greetings.has("again"));
    await converged("web", 3);
    going = false;
    await Promise.all(clients);
    expect([failed, [...greetings].sort()]).toEqual([0, ["again", "killed"]]);
    expect((await containers()).length).toBe(4);
  });

  test("is worked towards by two processes at once, and never by more containers than it asks for", async () => {
    const other = harness.start();
    await other.ready();
    let most = 0;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        const running = (await containers()).filter(
          ({ State, Labels }) => State === "running" && Labels[LABELS.service] === "web",
        );
        most = Math.max(most, running.length);
        await Bun.sleep(20);
      }
    })();
    for (const greeting of ["one", "two", "three"]) await post(FILE(greeting));
    await converged("web", 3);
    watching = false;
    await watch;
    expect(most).toBeLessThanOrEqual(4);
    await other[Symbol.asyncDispose]();
  });
});

describe("while the app is away", () => {
  /** What was told of each container of a service, in order, as in `started, died: lost`. */
  const lives = async (service: string): Promise<ReadonlyMap<string, string>> => {
    const told = new Map<string, string[]>();
    for (const { type, data } of await harness.natsEvents()) {
      if (!/^container\.(?:started|died)\.v1$/.test(type) || data["service"] !== service) continue;
      const word = type === "container.started.v1" ? "started" : `died: ${String(data["reason"])}`;
      const id = String(data["containerId"]);
      told.set(id, [...(told.get(id) ?? []), word]);
    }
    return new Map([...told].map(([id, words]) => [id, words.join(", ")]));
  };

  test("each container that ended is told of once: killed, removed, or killed and started again by hand", async () => {
    await post("services: { lone: { image: 'troupe/echo:1', replicas: 3, ports: [8080] } }");
    const { observed } = await converged("lone", 3);
    const [killed, removed, revived] = (observed as { containerId: string }[]).map(({ containerId }) => containerId);
    await eventually("all starts are told", 30_000, async () => (await lives("lone")).size === 3);

    await app.stop();
    await docker.getContainer(killed ?? "").kill();
    await docker.getContainer(removed ?? "").remove({ force: true });
    await docker.getContainer(revived ?? "").kill();
    await docker.getContainer(revived ?? "").start();
    await start();

    await converged("lone", 3);
    const told = await eventually("all that runs was told to have started", 60_000, async () => {
      const running = (await containers()).filter(({ Labels }) => Labels[LABELS.service] === "lone");
      const now = await lives("lone");
      return running.length === 3 && running.every(({ Id }) => now.get(Id)?.endsWith("started")) && now;
    });
    expect(told.size).toBe(4);
    const [successor] = [...told.keys()].filter((id) => ![killed, removed, revived].includes(id));
    expect(Object.fromEntries(told)).toEqual({
      [killed ?? ""]: "started, died: exited, started",
      [removed ?? ""]: "started, died: lost",
      [revived ?? ""]: "started, died: exited, started",
      [successor ?? ""]: "started",
    });
  });
});

test("a gateway rule leads a path to a service, within a second, and never over a route of ours", async () => {
  const file = "services: { web: { image: 'troupe/echo:1', ports: [8080] } }\n";
  const rules =
    "gateway: [{ path: /shop, service: web }, { path: /orders, service: web }, { path: /locked/here, service: web, stripPrefix: false, rateLimit: 1 }]\n";
  expect((await post(file + rules)).status).toBe(202);
  await converged("web", 1);
  const said = await eventually("the rule is in force", 10_000, async () => {
    const { status, body } = await ask("GET", "/shop/a?b=c");
    return status === 200 && body;
  });
  expect(said["path"]).toBe("/a");
  expect((await ask("GET", "/locked/here/x")).body["path"]).toBe("/locked/here/x");
  expect((await ask("GET", "/locked/here/x")).status).toBe(429);
  expect((await ask("GET", "/orders")).body["path"]).toBeUndefined();
  expect((await ask("GET", "/config")).body["gateway"]).toHaveLength(3);
  await post("services: {}");
  await eventually("the rule is gone", 10_000, async () => (await ask("GET", "/shop/a")).status === 404);
});

test("what containers wrote is there when they are gone, and comes as it is written", async () => {
  await post("services: { talks: { image: 'troupe/echo:1', command: [crash] } }");
  const lines = await eventually("two lines", 60_000, async () => {
    const { body } = await ask("GET", "/services/talks/logs?grep=crash");
    const items = (body["items"] ?? []) as { text: string; level: string }[];
    return items.length >= 2 && items;
  });
  expect(lines[0]).toMatchObject({ text: expect.stringContaining("crash: as asked"), stream: "stderr" });
  const stream = await fetch(new URL("/services/talks/logs?follow=true", url));
  expect(stream.headers.get("content-type")).toStartWith("text/event-stream");
  const reader = stream.body!.getReader();
  let text = "";
  while (!text.includes("event: line")) text += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  await post("services: {}");
  await eventually("nothing is left", 60_000, async () => (await containers()).length === 0);
});
