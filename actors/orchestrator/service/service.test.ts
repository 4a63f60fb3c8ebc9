import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { createTroupe, memory, type OutboxRecord, type Sink, type Troupe } from "#runtime";
import { DEFAULT_UPDATE } from "../scaler/messages.ts";
import { type ReportService, ServiceName, type ServiceSpec } from "./messages.ts";
import { revisionOf, Service } from "./service.ts";

const spec: ServiceSpec = {
  image: "troupe/echo:1",
  command: ["serve"],
  env: { A: "1", B: "2" },
  ports: [{ container: 8080, host: null }],
  resources: { memoryBytes: 64, cpus: 1, pids: 10 },
  volumes: [],
  networks: [],
  health: null,
};
const policies = { update: DEFAULT_UPDATE, scale: null, dependsOn: [], stop: { graceMs: 5_000 } };

let troupe: Troupe;
let published: OutboxRecord[];
const collect = (name: string, accepts: Sink["accepts"]): Sink => ({
  name,
  accepts,
  lane: { kind: "batch", maxBatch: 100 },
  async publish(records) {
    published.push(...records);
    return records.map(() => ({ kind: "acked" }));
  },
  check: async () => undefined,
  close: async () => undefined,
});

beforeEach(async () => {
  published = [];
  const sinks = [collect("events", "event"), collect("temporal", "workflow")];
  troupe = await createTroupe({ actors: [Service], stores: { default: memory() }, sinks });
});
afterEach(async () => await troupe.stop());

const web = () => troupe.ref(Service, "web");
const configure = (replicas: number, configRevision: number, change: Partial<ServiceSpec> = {}) =>
  web().configure({ ...policies, spec: { ...spec, ...change }, replicas, configRevision });
const report = (generation: number, change: Partial<v.InferOutput<typeof ReportService>> = {}) =>
  web().report({ generation, status: "converged", conditions: [], observed: [], ...change });

/** What was published so far, once everything is. */
async function types(): Promise<string[]> {
  while (troupe.status().sinks.some((sink) => sink.pending > 0)) await Bun.sleep(1);
  return published.map((record) => record.name);
}

describe("service", () => {
  test("commits a change, its event and the wake-up of its loop together", async () => {
    await configure(3, 1);
    expect((await types()).sort()).toEqual(["service.configured.v1", "signalWithStart"]);
    const request = published.find((record) => record.kind === "workflow");
    expect(request?.target).toBe("reconcile-service/web");
    expect(JSON.parse(request?.body ?? "")).toMatchObject({
      start: { type: "reconcileService", taskQueue: "orchestrator", args: [{ name: "web" }] },
      signal: { name: "wake" },
    });
  });

  test("keeps its revision when only the number of replicas changes", async () => {
    const first = await configure(3, 1);
    const second = await configure(1, 2);
    expect(second.revision).toBe(first.revision);
    expect(second.generation).toBeGreaterThan(first.generation);
    expect((await configure(1, 3, { env: { A: "2" } })).revision).not.toBe(first.revision);
  });

  test("says once per change that it has converged", async () => {
    const { generation } = await configure(3, 1);
    for (const status of ["converged", "progressing", "converged"] as const) await report(generation, { status });
    expect((await types()).filter((type) => type === "service.reconciled.v1")).toHaveLength(1);
  });

  test("says once that it has become degraded, and keeps what was seen while the engine is away", async () => {
    const { generation } = await configure(1, 1);
    const seen = {
      containerId: "c",
      replica: 0,
      revision: "r",
      state: "running",
      healthy: true,
      host: "a",
      hostPorts: [1],
      image: "i",
      imageId: "sha256:1",
      startedAt: null,
      restarts: 0,
    };
    await report(generation, { observed: [seen] });
    const away: Partial<v.InferOutput<typeof ReportService>> = {
      status: "degraded",
      conditions: [{ type: "docker_unavailable", severity: "trouble", reason: "no_answer", message: "away" }],
      observed: null,
    };
    await report(generation, away);
    await report(generation, away);
    expect((await types()).filter((type) => type === "service.degraded.v1")).toHaveLength(1);
    expect(await web().get()).toMatchObject({ status: "degraded", observed: [seen] });
  });

  test("where its events come back over a broker, is DONE once the one of its last generation has", async () => {
    const configured = await web().configure({ ...policies, spec, replicas: 2, configRevision: 1, echoed: true });
    await web().report({ generation: configured.generation, status: "converged", conditions: [], observed: [] });
    expect(await web().get()).toMatchObject({ status: "converged", outbox: "PENDING" });
    await web().heard({ generation: configured.generation - 1 });
    expect(await web().get()).toMatchObject({ outbox: "PENDING" });
    await web().heard({ generation: configured.generation });
    expect(await web().get()).toMatchObject({ outbox: "DONE" });
    // A file that is posted again where no broker is any more does not wait for one.
    await web().configure({ ...policies, spec, replicas: 3, configRevision: 2, echoed: false });
    const { generation } = await web().desired();
    await web().report({ generation, status: "converged", conditions: [], observed: [] });
    expect(await web().get()).toMatchObject({ outbox: "DONE" });
  });

  test("does not wait for a broker that was taken away since: the sweep says so, without a new file", async () => {
    const asked = { ...policies, spec, replicas: 2, configRevision: 1 };
    const { generation } = await web().configure({ ...asked, echoed: true });
    await web().report({ generation, status: "converged", conditions: [], observed: [] });
    await web().confirm({ ...asked, echoed: true });
    expect(await web().get()).toMatchObject({ outbox: "PENDING" });
    await web().confirm({ ...asked, echoed: false });
    expect(await web().get()).toMatchObject({ outbox: "DONE" });
    // A broker that has come is waited for from the next change on: nothing of before comes back over it.
    await web().confirm({ ...asked, echoed: true });
    expect(await web().get()).toMatchObject({ outbox: "DONE" });
  });

  test("is PENDING until the loop has taken up the last change, and an old report does not decide its status", async () => {
    const { generation } = await configure(3, 1);
    await report(generation);
    expect(await web().get()).toMatchObject({ status: "converged", outbox: "DONE" });
    await configure(5, 2);
    await report(generation);
    expect(await web().get()).toMatchObject({ status: "progressing", outbox: "PENDING" });
  });

  test("leaves nothing behind once it is removed and its containers are gone, and may come back", async () => {
    await configure(2, 1);
    const { generation } = await web().remove({ configRevision: 2 });
    expect(await web().desired()).toMatchObject({ removed: true, replicas: 0 });
    await report(generation);
    expect(await web().get()).toBeNull();
    await report(generation);
    expect(await web().get()).toBeNull();
    expect((await configure(1, 3)).generation).toBeGreaterThan(generation);
  });

  test("does nothing when it is asked to go and is not there", async () => {
    await web().remove({ configRevision: 1 });
    expect(await types()).toEqual([]);
  });
});

test("revisionOf() does not depend on the order of keys", () => {
  expect(revisionOf({ ...spec, env: { B: "2", A: "1" } })).toBe(revisionOf(spec));
  expect(revisionOf({ ...spec, command: ["other"] })).not.toBe(revisionOf(spec));
});

test("ServiceName takes what can be part of a container's name, and nothing else", () => {
  for (const name of ["a", "web-1", "a".repeat(63)]) expect(v.is(ServiceName, name)).toBe(true);
  for (const name of ["", "A", "1a", "a_b", "a.b", "a/b", "../a", "-a", "a\0", "a\n", "a".repeat(64)])
    expect(v.is(ServiceName, name)).toBe(false);
});
