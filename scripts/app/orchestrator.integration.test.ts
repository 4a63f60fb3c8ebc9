/** One process that drives two engines. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Autoscaler } from "#actors/orchestrator/autoscaler/autoscaler.ts";
import { Config } from "#actors/orchestrator/config/config.ts";
import { Host } from "#actors/orchestrator/host/host.ts";
import { Job } from "#actors/orchestrator/job/job.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import { Secret } from "#actors/orchestrator/secret/secret.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { processEngine } from "#infra/processes/engine.ts";
import { plainBox } from "#infra/secrets/secret-box.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { type Temporal, temporalConnection } from "#infra/temporal/connection.ts";
import { temporalSink } from "#infra/temporal/sink.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, memory, silentLog, type Troupe } from "#runtime";
import { echo } from "#workflows/reconcile-service/testing/services.ts";
import { type Orchestrator, startOrchestrator } from "./orchestrator.ts";

setDefaultTimeout(180_000);

let directory = "";
let troupe: Troupe;
let temporal: Temporal;
let orchestrator: Orchestrator;
const engineIn = (name: string) =>
  ({ name, engine: processEngine({ cluster: "t", directory: join(directory, name) }) }) as const;
let hosts: readonly [ReturnType<typeof engineIn>, ReturnType<typeof engineIn>];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "troupe-two-hosts-"));
  await chmod(directory, 0o755); // What runs as nobody goes through it.
  const address = await testServer("temporal");
  temporal = temporalConnection({ address, prefix: `h${crypto.randomUUID().slice(0, 8)}.` });
  troupe = await createTroupe({
    actors: [Config, Service, Job, Scaler, Host, Secret, Autoscaler],
    stores: { default: memory() },
    sinks: [temporalSink({ temporal, log: silentLog })],
  });
  hosts = [engineIn("a"), engineIn("b")];
  orchestrator = startOrchestrator({
    ...{ troupe, hosts, temporal, secrets: plainBox, log: silentLog, totals: { memoryBytes: 256 * 1024 ** 2 } },
    ...{ nats: undefined, kafka: undefined, rabbitmq: undefined, redis: undefined, tls: {}, tracing: undefined },
    ...{ logDirectory: join(directory, "logs"), bindRoots: [], reconciled: () => undefined, sealing: undefined },
  });
  await orchestrator.workers.ready();
}, 240_000);
afterAll(async () => {
  const names = (await troupe.list(Service)).map(({ key }) => `${temporal.prefix}reconcile-service/${key}`);
  await Promise.allSettled(names.map((id) => temporal.client.workflow.getHandle(id).terminate()));
  await orchestrator?.workers.stop();
  await orchestrator?.stop();
  await troupe?.stop();
  await Promise.all(hosts.map(({ engine }) => engine.close()));
  await temporal?.close();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

const apply = (services: Record<string, ReturnType<typeof echo>>): Promise<unknown> =>
  troupe.ref(Config, "main").apply({ services, gateway: [], expected: null });
const placed = async (service: string): Promise<number[]> =>
  await Promise.all(
    hosts.map(async ({ engine }) => (await engine.list(service)).filter(({ state }) => state === "running").length),
  );

test("the replicas of a service are spread over both hosts, and are seen as one service", async () => {
  await eventually("both hosts are known", 60_000, async () => (await troupe.list(Host)).length === 2);
  await apply({ web: echo(4) });
  await eventually("two run on each", 120_000, async () => (await placed("web")).join() === "2,2");
  await eventually(
    "it has converged",
    60_000,
    async () => (await troupe.ref(Service, "web").get())?.status === "converged",
  );
  const stats = await eventually("all have been read", 60_000, async () => {
    const read = await orchestrator.containers.stats("web");
    return read.length === 4 && read;
  });
  expect(stats.map(({ replica }) => replica).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

test("what the containers of both hosts write is read as one log, in order of time", async () => {
  await apply({ loud: echo(2, { command: ["crash"] }) });
  const signal = new AbortController().signal;
  const lines = await eventually("both have written", 60_000, async () => {
    const read = await Array.fromAsync(orchestrator.containers.logs("loud", { follow: false, signal }));
    return new Set(read.map(({ replica }) => replica)).size === 2 && read;
  });
  expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted());
  const stopping = new AbortController();
  const followed = new Set<number>();
  for await (const line of orchestrator.containers.logs("loud", { follow: true, signal: stopping.signal })) {
    followed.add(line.replica);
    if (followed.size === 2) break;
  }
  stopping.abort();
});

test("a host that is full takes no more, and says so with its numbers", async () => {
  await apply({ large: echo(1, { resources: { memoryBytes: 512 * 1024 ** 2, cpus: 0.1, pids: 10 } }) });
  const view = await eventually("it is said", 60_000, async () => {
    const found = await troupe.ref(Service, "large").get();
    return found?.conditions.some(({ reason }) => reason === "host_full") && found;
  });
  expect(view.conditions.find(({ reason }) => reason === "host_full")?.message).toContain(
    "the host is full: 536870912",
  );
  expect(await placed("large")).toEqual([0, 0]);
});
