import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ECHO_IMAGE, ensureEchoImage } from "../docker/echo-image.ts";
import type { ContainerSpec } from "../engines/container.ts";
import { engineConformance } from "../engines/testing/conformance.ts";
import { eventually } from "../testing/eventually.ts";
import { processEngine } from "./engine.ts";

setDefaultTimeout(120_000);

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), "troupe-processes-test-"));

engineConformance("processEngine()", async () => {
  const directory = await folder();
  return {
    connect: (cluster) => processEngine({ cluster, directory }),
    image: ECHO_IMAGE,
    prepare: ensureEchoImage,
    containers: { kind: "real" },
    close: () => rm(directory, { recursive: true, force: true }),
  };
});

const spec = (change: Partial<ContainerSpec> = {}): ContainerSpec => ({
  cluster: "t",
  service: "web",
  revision: "r",
  replica: 0,
  image: ECHO_IMAGE,
  command: ["serve"],
  env: {},
  ports: [{ container: 8080, host: null }],
  resources: { memoryBytes: 64 * 1024 ** 2, cpus: 1, pids: 10 },
  ...change,
});

test("a second engine of one folder is unavailable until the first lets go, whose processes end with it", async () => {
  const directory = await folder();
  const one = processEngine({ cluster: "t", directory });
  const two = processEngine({ cluster: "t", directory });
  try {
    await ensureEchoImage(one);
    const { id } = await one.create(spec());
    await one.start(id);
    const port = (await one.list())[0]?.ports[0]?.host;
    await eventually("it answers", 30_000, () => fetch(`http://127.0.0.1:${port}/`).catch(() => undefined));
    await expect(two.list()).rejects.toMatchObject({ code: "unavailable" });
    await one.close();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    expect(await two.list()).toEqual([]);
  } finally {
    await Promise.all([one.close(), two.close()]);
    await rm(directory, { recursive: true, force: true });
  }
});

test("what a killed process left running is ended by the next engine of its folder", async () => {
  const directory = await folder();
  const script = `
    import { processEngine } from ${JSON.stringify(join(import.meta.dir, "engine.ts"))};
    import { ensureEchoImage } from ${JSON.stringify(join(import.meta.dir, "../docker/echo-image.ts"))};
    const engine = processEngine({ cluster: "t", directory: ${JSON.stringify(directory)} });
    await ensureEchoImage(engine);
    const { id } = await engine.create(${JSON.stringify(spec())});
    await engine.start(id);
    console.log((await engine.list())[0].ports[0].host);
    await new Promise(() => setInterval(() => undefined, 1000));
  `;
  const app = Bun.spawn(["bun", "-e", script], { stdout: "pipe", stderr: "inherit" });
  const reader = app.stdout.getReader();
  const port = Number(new TextDecoder().decode((await reader.read()).value).trim());
  await eventually("it answers", 30_000, () => fetch(`http://127.0.0.1:${port}/`).catch(() => undefined));
  app.kill("SIGKILL");
  await app.exited;
  expect((await fetch(`http://127.0.0.1:${port}/`)).ok).toBe(true);
  const next = processEngine({ cluster: "t", directory });
  try {
    expect(await next.list()).toEqual([]);
    await eventually("it has ended", 30_000, () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        () => false,
        () => true,
      ),
    );
  } finally {
    await next.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test("what uses more memory than it may is ended, and said to have been", async () => {
  const directory = await folder();
  await using engine = Object.assign(processEngine({ cluster: "t", directory, lookEveryMs: 50 }), {
    async [Symbol.asyncDispose]() {
      await engine.close();
      await rm(directory, { recursive: true, force: true });
    },
  });
  await ensureEchoImage(engine);
  const { id } = await engine.create(spec({ resources: { memoryBytes: 100_000, cpus: 1, pids: 10 } }));
  await engine.start(id);
  const ended = await eventually("it was ended", 30_000, async () => {
    const record = await engine.inspect(id);
    return record?.state === "exited" && record;
  });
  expect(ended).toMatchObject({ oomKilled: true, exitCode: 137 });
});

test("a secret file is there for the process, and for nobody else", async () => {
  const directory = await folder();
  const engine = processEngine({ cluster: "t", directory });
  try {
    const script = "cat $SECRETS_DIR/token; echo; stat -c '%a %n' $SECRETS_DIR/token";
    await Bun.write(join(directory, "ctx/Dockerfile"), `FROM scratch\nENTRYPOINT ["sh", "-c", "${script}"]\n`);
    await engine.buildImage({ tag: "test/sh:1", directory: join(directory, "ctx"), files: ["Dockerfile"] });
    const files = [{ name: "token", content: "s3cret" }];
    const { id } = await engine.create(spec({ image: "test/sh:1", command: [], ports: [], files }));
    await engine.start(id);
    const lines: string[] = [];
    for await (const { text } of engine.logs(id, { follow: true })) lines.push(text);
    expect(lines[0]).toBe("s3cret");
    expect(lines[1]).toStartWith("400 ");
  } finally {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test("a process has nothing of our environment, and no volumes or networks are promised", async () => {
  const directory = await folder();
  const engine = processEngine({ cluster: "t", directory });
  try {
    await Bun.write(join(directory, "ctx/Dockerfile"), 'FROM scratch\nENTRYPOINT ["env"]\n');
    await engine.buildImage({ tag: "test/env:1", directory: join(directory, "ctx"), files: ["Dockerfile"] });
    const { id } = await engine.create(spec({ image: "test/env:1", command: [], env: { A: "1" }, ports: [] }));
    await engine.start(id);
    const names: string[] = [];
    for await (const { text } of engine.logs(id, { follow: true })) names.push(text.split("=")[0] ?? "");
    expect(names.sort()).toEqual(["A", "HOME", "PATH", "TMPDIR"]);
    const volumes = [{ kind: "volume" as const, name: "data", path: "/data", readOnly: false }];
    await expect(engine.create(spec({ replica: 1, volumes }))).rejects.toMatchObject({ code: "refused" });
    await expect(engine.create(spec({ replica: 1, networks: ["back"] }))).rejects.toMatchObject({ code: "refused" });
  } finally {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  }
});
