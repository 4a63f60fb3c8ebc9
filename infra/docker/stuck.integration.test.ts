import { expect, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testServer } from "#infra/stack/for-tests.ts";
import { ECHO_IMAGE, ensureEchoImage } from "./echo-image.ts";
import { connectEngine } from "./engine.ts";

setDefaultTimeout(120_000);

test("a container that cannot be asked about itself is named, the others are seen, and it can be removed", async () => {
  const real = await testServer("docker");
  const cluster = `s${crypto.randomUUID().slice(0, 8)}`;
  const direct = connectEngine({ host: real, cluster });
  await ensureEchoImage(direct);
  const path = join(tmpdir(), `stuck-${cluster}.sock`);
  let stuck = "";
  const proxy = Bun.serve({
    unix: path,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (stuck !== "" && pathname.includes(`/containers/${stuck}/json`)) await new Promise(() => undefined);
      return await fetch(`http://docker${pathname}${search}`, {
        unix: real.slice("unix://".length),
        method: request.method,
        headers: request.headers,
        body: request.body,
      });
    },
  });
  const engine = connectEngine({ host: `unix://${path}`, cluster, inspectWithinMs: 300 });
  try {
    const spec = { cluster, service: "web", revision: "r", image: ECHO_IMAGE, command: ["serve"], env: {}, ports: [] };
    const resources = { memoryBytes: 32 * 1024 ** 2, cpus: 0.5, pids: 32 };
    const ids = await Promise.all(
      [0, 1].map(async (replica) => {
        const { id } = await direct.create({ ...spec, resources, replica });
        await direct.start(id);
        return id;
      }),
    );
    stuck = ids[0] ?? "";
    const seen = await engine.list("web");
    expect(seen.map(({ replica, state }) => [replica, state])).toEqual([
      [0, "running"],
      [1, "running"],
    ]);
    expect(seen[0]?.stuck).toContain("did not answer within 300 ms");
    expect(seen[1]?.stuck).toBeNull();
    // The second look does not wait for it again.
    const at = performance.now();
    await engine.list("web");
    expect(performance.now() - at).toBeLessThan(300);
    for (const id of ids) expect(await engine.remove(id, 0)).toBe("removed");
    expect(await direct.list("web")).toEqual([]);
  } finally {
    await proxy.stop(true);
    await Promise.allSettled((await direct.list()).map(({ id }) => direct.remove(id, 0)));
    await rm(path, { force: true });
  }
});
