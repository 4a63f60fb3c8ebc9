import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import Docker from "dockerode";
import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import type { Engine } from "#infra/docker/engine.ts";
import { containerName } from "#infra/docker/labels.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { applyActions } from "./apply.ts";
import type { Action } from "./messages.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const cluster = `t${crypto.randomUUID().slice(0, 8)}`;
let engine: Engine;
let twin: Engine;
let docker: Docker;

beforeAll(async () => {
  const host = await testServer("docker");
  engine = connectEngine({ host, cluster });
  twin = connectEngine({ host, cluster });
  docker = new Docker({ socketPath: host.replace("unix://", "") });
  await ensureEchoImage(engine);
}, 180_000);
afterAll(
  async () => void (await Promise.all((await engine.list()).map((container) => engine.remove(container.id, 0)))),
  60_000,
);

const spec = {
  image: ECHO_IMAGE,
  command: ["serve"],
  env: {},
  ports: [{ container: 8080, host: null }],
  resources: { memoryBytes: 32 * 1024 ** 2, cpus: 0.25, pids: 32 },
};
const create = (replica: number): Action => ({ kind: "create", replica });
const input = (service: string, actions: Action[]) => ({
  service,
  revision: "r1",
  spec,
  actions,
  slots: {},
  nowMs: Date.now(),
});

describe("applyActions()", () => {
  test("fills each slot once when two scalers want the same at the same time", async () => {
    const both = input("twins", [0, 1, 2].map(create));
    const [first, second] = await Promise.all([applyActions(engine, both), applyActions(twin, both)]);
    const containers = await engine.list("twins");
    expect(containers.map((container) => [container.replica, container.state])).toEqual([
      [0, "running"],
      [1, "running"],
      [2, "running"],
    ]);
    const outcomes = [...first, ...second].map((outcome) => outcome.kind);
    expect(new Set(outcomes).difference(new Set(["started", "already"]))).toEqual(new Set());
  });

  test("takes what an operator has removed meanwhile as removed", async () => {
    await applyActions(engine, input("gone", [create(0)]));
    const container = (await engine.list("gone"))[0];
    await engine.remove(container?.id ?? "", 0);
    const remove: Action = {
      kind: "remove",
      containerId: container?.id ?? "",
      revision: "r1",
      replica: 0,
      running: true,
      reason: "excess",
    };
    expect(await applyActions(engine, input("gone", [remove]))).toMatchObject([{ kind: "already" }]);
  });

  test("does not touch a container that has the name but not our labels", async () => {
    const name = containerName({ cluster, service: "taken", revision: "r1", replica: 0 });
    const foreign = await docker.createContainer({ name, Image: ECHO_IMAGE });
    try {
      const [outcome] = await applyActions(engine, input("taken", [create(0)]));
      expect(outcome).toMatchObject({
        kind: "failed",
        slot: { streak: 1, error: expect.stringContaining("not ours") },
      });
      const remove: Action = {
        kind: "remove",
        containerId: foreign.id,
        revision: "r1",
        replica: 0,
        running: false,
        reason: "excess",
      };
      expect(await applyActions(engine, input("taken", [remove]))).toMatchObject([{ kind: "already" }]);
      expect((await foreign.inspect()).State.Status).toBe("created");
    } finally {
      await foreign.remove({ force: true });
    }
  });

  test("keeps the reason of an image that is not there, and waits before it tries again", async () => {
    const missing = { ...input("missing", [create(0)]), spec: { ...spec, image: "troupe/nothing:1" } };
    expect(await applyActions(engine, missing)).toMatchObject([
      { kind: "failed", slot: { streak: 1, retryAt: missing.nowMs + 1_000 } },
    ]);
  });

  test("tells an engine that is away from one that refuses", async () => {
    const away = connectEngine({ host: "unix:///nowhere/docker.sock", cluster });
    expect(await applyActions(away, input("away", [create(0)]))).toMatchObject([{ kind: "unavailable" }]);
  });

  test("gives a container no rights and bounded resources", async () => {
    await applyActions(engine, input("bounded", [create(0)]));
    const { HostConfig, Config } = await docker.getContainer((await engine.list("bounded"))[0]?.id ?? "").inspect();
    expect(HostConfig).toMatchObject({
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Privileged: false,
      ReadonlyRootfs: true,
      Memory: 32 * 1024 ** 2,
      MemorySwap: 32 * 1024 ** 2,
      NanoCpus: 250_000_000,
      PidsLimit: 32,
      RestartPolicy: { Name: "no" },
    });
    expect(HostConfig.Binds ?? []).toEqual([]);
    expect(Config.User).toBe("65532:65532");
    expect(HostConfig.PortBindings["8080/tcp"]).toMatchObject([{ HostIp: "127.0.0.1" }]);
  });
});
