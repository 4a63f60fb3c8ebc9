import { expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "../stack/for-tests.ts";
import { clientFor } from "./client.ts";
import { ECHO_IMAGE, ensureEchoImage } from "./echo-image.ts";
import { connectEngine } from "./engine.ts";

setDefaultTimeout(120_000);

test("secrets are files that the container's user alone reads, and are gone with the container", async () => {
  const host = await testServer("docker");
  const cluster = `f${crypto.randomUUID().slice(0, 8)}`;
  const engine = connectEngine({ host, cluster });
  const docker = clientFor(host);
  await ensureEchoImage(engine);
  const { id } = await engine.create({
    ...{ cluster, service: "web", revision: "r", replica: 0, image: ECHO_IMAGE, command: ["serve"], env: {} },
    ports: [],
    resources: { memoryBytes: 32 * 1024 ** 2, cpus: 0.5, pids: 32 },
    files: [{ name: "token", content: "s3cret" }],
  });
  try {
    await engine.start(id);
    const archive = await docker.getContainer(id).getArchive({ path: "/run/secrets/token" });
    const header = Buffer.from(await new Response(archive as unknown as ReadableStream).arrayBuffer());
    expect(header.toString("utf8", 0, 5)).toBe("token");
    expect(Number.parseInt(header.toString("utf8", 100, 107), 8) & 0o777).toBe(0o400);
    expect(Number.parseInt(header.toString("utf8", 108, 115), 8)).toBe(65_532);
    expect(header.toString("utf8", 512, 518)).toBe("s3cret");
    const info = await docker.getContainer(id).inspect();
    expect(JSON.stringify(info)).not.toContain("s3cret");
    expect(info.Config.Env).toContain("SECRETS_DIR=/run/secrets");
    const volume = info.Mounts.find(({ Destination }) => Destination === "/run/secrets")?.Name ?? "";
    await engine.remove(id, 0);
    await expect(docker.getVolume(volume).inspect()).rejects.toThrow();
  } finally {
    await engine.remove(id, 0);
  }
});
