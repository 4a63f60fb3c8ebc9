import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { DEFAULT_UPDATE } from "#actors/orchestrator/scaler/messages.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import { LogBook } from "#infra/engines/log-book.ts";
import { echo } from "./testing/services.ts";
import { eventually, startTestSystem, type TestSystem } from "./testing/system.ts";

setDefaultTimeout(90_000);

let system: TestSystem;
let docker: Docker;
const FAST = { ...DEFAULT_UPDATE, minReadyMs: 300 };

beforeAll(async () => {
  system = await startTestSystem({ secrets: { token: "s3cret" } });
  docker = new Docker({ socketPath: system.dockerHost.replace("unix://", "") });
  await ensureEchoImage(system.engine);
}, 180_000);
afterAll(async () => await system?.[Symbol.asyncDispose](), 60_000);

const freePort = async (): Promise<number> => {
  const server = Bun.serve({ port: 0, fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  return port ?? 0;
};

describe("an update that fails", () => {
  const bad: readonly [string, Parameters<typeof echo>[1]][] = [
    ["its containers end", { command: ["crash"] }],
    ["its image cannot be had", { image: "127.0.0.1:1/none:1" }],
    [
      "its check fails",
      {
        health: { kind: "exec", command: ["/none"], intervalMs: 300, timeoutMs: 500, retries: 2, startPeriodMs: 100 },
      },
    ],
  ];
  test.each(bad)("is taken back by itself when %s, and the old replicas are left alone", async (_, change) => {
    await system.apply({ fails: echo(2, {}, { update: FAST }) });
    const good = await system.converged("fails", 2);
    const before = (await system.engine.list("fails")).map(({ id, startedAt }) => `${id} ${startedAt}`);
    await system.apply({ fails: echo(2, change, { update: FAST }) });
    const back = await eventually(
      "taken back",
      async () => {
        const now = await system.view("fails");
        return now?.conditions.some(({ type }) => type === "rolled_back") && now.status === "converged" && now;
      },
      60_000,
    );
    expect(back.desired.revision).toBe(good.desired.revision);
    expect((await system.engine.list("fails")).map(({ id, startedAt }) => `${id} ${startedAt}`)).toEqual(before);
    expect(system.events.some(({ type, data }) => type === "service.degraded.v1" && data["name"] === "fails")).toBe(
      true,
    );
    await system.apply({});
    await eventually("gone", async () => (await system.view("fails")) === null);
  });
});

describe("a pinned port", () => {
  test("goes over to the new revision only once that is made, and back when it fails", async () => {
    const port = await freePort();
    const pinned = { ports: [{ container: 8080, host: port }] };
    const greeting = async () =>
      ((await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { greeting: string }).greeting;
    await system.apply({ pinned: echo(1, pinned, { update: FAST }) });
    await system.converged("pinned", 1);
    expect(await greeting()).toBe("hello");

    await system.apply({ pinned: echo(1, { ...pinned, image: "127.0.0.1:1/none:1" }, { update: FAST }) });
    await eventually("it is taken back", async () =>
      (await system.view("pinned"))?.conditions.some(({ type }) => type === "rolled_back"),
    );
    expect(await greeting()).toBe("hello");

    await system.apply({ pinned: echo(1, { ...pinned, env: { GREETING: "new" } }, { update: FAST }) });
    await eventually("the new one has the port", async () => (await greeting()) === "new");
    await system.converged("pinned", 1);
    await system.apply({});
    await eventually("gone", async () => (await system.view("pinned")) === null);
  });
});

describe("what somebody else does", () => {
  test("a container made by hand with our labels is left alone, and so is a copy of one of ours", async () => {
    await system.apply({ mine: echo(2) });
    await system.converged("mine", 2);
    const own = await system.engine.list("mine");
    const { Config } = await docker.getContainer(own[0]!.id).inspect();
    const { "troupe.signature": _signature, ...unsigned } = Config.Labels;
    const made = await Promise.all(
      [{ ...unsigned, "troupe.replica": "7" }, Config.Labels].map(async (labels) => {
        const container = await docker.createContainer({ Image: ECHO_IMAGE, Cmd: ["serve"], Labels: labels });
        await container.start();
        return container;
      }),
    );
    try {
      await docker.getContainer(own[1]!.id).kill();
      await eventually("healed", async () => (await system.engine.inspect(own[1]!.id))?.state === "running");
      await system.converged("mine", 2);
      expect((await system.engine.list("mine")).map(({ id }) => id).sort()).toEqual(own.map(({ id }) => id).sort());
      for (const container of made) expect((await container.inspect()).State.Running).toBe(true);
    } finally {
      await Promise.all(made.map((container) => container.remove({ force: true })));
    }
  });

  test("limits, restart policy and name that were changed are put back; a container that was removed or paused is made anew", async () => {
    await system.apply({ mine: echo(2) });
    await system.converged("mine", 2);
    const [first, second] = await system.engine.list("mine");
    const container = docker.getContainer(first!.id);
    await container.update({ Memory: 128 * 1024 ** 2, MemorySwap: 128 * 1024 ** 2, RestartPolicy: { Name: "always" } });
    await container.rename({ name: `renamed-${system.engine.cluster}` });
    await eventually("put right", async () => (await system.engine.inspect(first!.id))?.differences.length === 0);
    const { HostConfig, Name } = await container.inspect();
    expect([HostConfig.Memory, HostConfig.RestartPolicy?.Name, Name]).toEqual([
      64 * 1024 ** 2,
      "no",
      `/${first!.name}`,
    ]);

    await docker.getContainer(first!.id).pause();
    await docker.getContainer(second!.id).remove({ force: true });
    await eventually("both are made anew", async () => {
      const now = await system.engine.list("mine");
      return now.length === 2 && now.every((c) => c.state === "running" && c.id !== first!.id && c.id !== second!.id);
    });
    await system.converged("mine", 2);
    // Each start that was told of has its end, but for those that run.
    const runs = new Map<string, number>();
    for (const { type, data } of system.events.filter(({ data: d }) => d["service"] === "mine"))
      runs.set(
        String(data["containerId"]),
        (runs.get(String(data["containerId"])) ?? 0) + (type === "container.started.v1" ? 1 : -1),
      );
    expect([...runs.values()].filter((open) => open !== 0)).toEqual([1, 1]);
  });

  test("a loop that was terminated is started again by the next event", async () => {
    await system.apply({ mine: echo(2) });
    await system.converged("mine", 2);
    await system.temporal.client.workflow.getHandle(system.workflowId("mine")).terminate("by hand");
    const victim = (await system.engine.list("mine"))[0]!;
    await docker.getContainer(victim.id).kill();
    await eventually("healed", async () => (await system.engine.inspect(victim.id))?.state === "running");
  });
});

describe("a container", () => {
  test("has the limits, rights, secrets, volumes and networks that its service asks for", async () => {
    const spec = {
      env: { GREETING: "hi", TOKEN: { secret: "token" } },
      volumes: [{ kind: "volume" as const, name: "data", path: "/data", readOnly: false }],
      networks: ["back"],
    };
    await system.apply({ full: echo(1, spec), waits: echo(1, {}, { dependsOn: ["full"] }) });
    await system.converged("full", 1);
    await system.converged("waits", 1);
    const { cluster } = system.engine;
    const [one] = await system.engine.list("full");
    try {
      const info = await docker.getContainer(one!.id).inspect();
      expect(info.HostConfig).toMatchObject({
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        ReadonlyRootfs: true,
        Memory: 64 * 1024 ** 2,
        NanoCpus: 5e8,
        PidsLimit: 64,
        RestartPolicy: { Name: "no" },
        Privileged: false,
        NetworkMode: `troupe-${cluster}-back`,
      });
      expect(info.Config.User).toBe("65532:65532");
      expect(info.Config.Env).toContain("TOKEN=s3cret");
      expect(info.NetworkSettings.Networks[`troupe-${cluster}-back`]?.Aliases).toContain("full");
      expect(info.Mounts).toMatchObject([{ Type: "volume", Destination: "/data", Name: `troupe-${cluster}-data` }]);
      const history = await system.temporal.client.workflow.getHandle(system.workflowId("full")).fetchHistory();
      expect(JSON.stringify(history)).not.toContain(Buffer.from("s3cret").toString("base64").slice(0, 6));
      expect(JSON.stringify(await system.view("full"))).not.toContain("s3cret");
    } finally {
      await system.apply({});
      await eventually("gone", async () => (await system.engine.list()).length === 0);
      await docker.getVolume(`troupe-${cluster}-data`).remove({ force: true });
      await docker.getNetwork(`troupe-${cluster}-back`).remove();
    }
  });

  test("says so when its secret is not there, and starts once it is", async () => {
    await system.apply({ secret: echo(1, { env: { A: { secret: "absent" } } }) });
    const seen = await eventually("the condition", async () => {
      const now = await system.view("secret");
      return now?.conditions.some(({ reason }) => reason === "secret_missing") && now;
    });
    expect(seen.status).toBe("degraded");
    // Scaled to nothing, nothing is left to be sorry for.
    await system.apply({ secret: echo(0, { env: { A: { secret: "absent" } } }) });
    const at = performance.now();
    await system.converged("secret", 0);
    expect(performance.now() - at).toBeLessThan(10_000);
    expect((await system.view("secret"))?.conditions).toEqual([]);
    await system.apply({});
    await eventually("gone", async () => (await system.view("secret")) === null);
    await eventually("no row is left", async () => {
      const rows = [await system.troupe.list(Service), await system.troupe.list(Scaler)].flat();
      return rows.length === 0;
    });
  });

  test("leaves what it wrote behind when it is gone", async () => {
    const directory = await mkdtemp(join(tmpdir(), "troupe-logs-"));
    const book = new LogBook(system.engine, directory);
    try {
      await system.apply({ talks: echo(1, { command: ["crash"], ports: [] }) });
      const read = async () => {
        const lines = [];
        const { signal } = new AbortController();
        for await (const line of book.read("talks", { follow: false, signal })) lines.push(line);
        return lines;
      };
      await eventually("two runs are in the book", async () => (await read()).length >= 2);
      await system.apply({});
      await eventually("gone", async () => (await system.engine.list("talks")).length === 0);
      const lines = await read();
      expect(lines[0]).toMatchObject({
        stream: "stderr",
        replica: 0,
        text: expect.stringContaining("crash: as asked"),
      });
      expect(new Set(lines.map(({ at }) => at)).size).toBe(lines.length);
    } finally {
      await book.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("one revision", () => {
  test("runs one image, wherever its tag leads; a new post and a redeployment follow the tag", async () => {
    const tag = `troupe/moving-${system.engine.cluster}:1`;
    const { Id: first } = await docker.getImage(ECHO_IMAGE).inspect();
    await docker.getImage(ECHO_IMAGE).tag({ repo: tag.slice(0, -2), tag: "1" });
    const directory = await mkdtemp(join(tmpdir(), "troupe-image-"));
    try {
      await system.apply({ moving: echo(1, { image: tag }, { update: FAST }) });
      const before = await system.converged("moving", 1);
      await Bun.write(join(directory, "Dockerfile"), `FROM ${ECHO_IMAGE}\nLABEL moved=yes\n`);
      await system.engine.buildImage({ tag, directory, files: ["Dockerfile"] });
      await system.apply({ moving: echo(2, { image: tag }, { update: FAST }) });
      await system.converged("moving", 2);
      expect((await system.engine.list("moving")).map(({ imageId }) => imageId)).toEqual([first, first]);

      await system.apply({ moving: echo(2, { image: tag }, { update: FAST }) });
      const moved = await eventually("the tag is followed", async () => {
        const now = await system.view("moving");
        return now?.status === "converged" && now.desired.revision !== before.desired.revision && now;
      });
      expect(moved.observed.map(({ imageId }) => imageId)).not.toContain(first);
    } finally {
      await system.apply({});
      await eventually("gone", async () => (await system.engine.list("moving")).length === 0);
      await docker.getImage(tag).remove({ force: true });
      await rm(directory, { recursive: true, force: true });
    }
  });
});
