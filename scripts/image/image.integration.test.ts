import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type Docker from "dockerode";
import { clientFor } from "#infra/docker/client.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { buildImage, type BuiltImage } from "./build.ts";

// The image is built once; the first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const tag = `test-${crypto.randomUUID().slice(0, 8)}`;
let harness: Harness;
let docker: Docker;
let image: BuiltImage;

beforeAll(async () => {
  const [host, opened] = await Promise.all([testServer("docker"), openHarness()]);
  harness = opened;
  docker = clientFor(host);
  image = await buildImage({ host, tag, revision: "0123abc" });
}, 300_000);
afterAll(async () => {
  await docker?.getImage(`troupe/app:${tag}`).remove({ force: true });
  await harness?.[Symbol.asyncDispose]();
}, 60_000);

/** A container of the image in the network of the servers: nothing may be written but /tmp, and nothing is allowed. */
async function started(environment: Readonly<Record<string, string>>): Promise<Started> {
  const container = await docker.createContainer({
    Image: image.reference,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    HostConfig: {
      NetworkMode: "host",
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "", "/data": "" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
    },
  });
  await container.start();
  const log = async (): Promise<string> => {
    const bytes = await container.logs({ stdout: true, stderr: true });
    return bytes.toString().replaceAll(/[^\n]*?(?=\{)/g, "");
  };
  return {
    container,
    log,
    address: () =>
      eventually("the app listens", 90_000, async () => {
        const line = (await log()).split("\n").find((one) => one.includes('"app:listening"'));
        if (line !== undefined) return (JSON.parse(line) as { address: string }).address;
        if (!(await container.inspect()).State.Running) throw new Error(`The container ended:\n${await log()}`);
        return undefined;
      }),
    [Symbol.asyncDispose]: async () => void (await container.remove({ force: true })),
  };
}

interface Started extends AsyncDisposable {
  readonly container: Docker.Container;
  log(): Promise<string>;
  address(): Promise<string>;
}

test("the image is below 250 MB, runs as nobody, and says how its health is asked", async () => {
  expect(image.bytes).toBeLessThan(250e6);
  const { Config } = await docker.getImage(image.reference).inspect();
  expect(Config.User).toBe("10001:10001");
  expect(JSON.stringify(Config.Healthcheck)).toContain("/app/scripts/image/health.ts");
});

test("a container that may write nothing serves its pages, runs a saga to its end, and stops when it is told", async () => {
  await using app = await started({
    ...harness.environment(),
    HOST: "127.0.0.1",
    PORT: "0",
    TROUPE_AUTH: "off",
    TROUPE_DATA: "/data",
  });
  const address = await app.address();
  expect((await fetch(`${address}/health`)).status).toBe(200);
  await eventually("the app is ready", 90_000, async () => {
    const answer = await fetch(`${address}/ready`);
    return answer.status === 200;
  }).catch(async (error: unknown) => {
    throw new Error(`${await (await fetch(`${address}/ready`)).text()}\n${await app.log()}`, { cause: error });
  });
  expect(await (await fetch(`${address}/docs/runbooks/disk`)).text()).toContain("How you know it is over");
  for (const page of ["/", "/console", "/openapi"]) {
    const answer = await fetch(address + page);
    const text = await answer.text();
    const [, script = ""] = /src="(\/assets\/[^"]+\.js)"/.exec(text) ?? [];
    expect([page, answer.status, (await fetch(address + script)).headers.get("content-type")]).toEqual([
      page,
      200,
      "text/javascript; charset=utf-8",
    ]);
  }
  expect(await (await fetch(`${address}/metrics`)).text()).toContain('revision="0123abc"');
  const placed = (await (
    await fetch(`${address}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ amount: 700 }),
    })
  ).json()) as { orderId: string };
  await eventually("the order is paid by the workflow", 90_000, async () => {
    const order = (await (await fetch(`${address}/orders/${placed.orderId}`)).json()) as { status: string };
    return ["paid", "shipped", "delivered"].includes(order.status);
  });
  await app.container.stop({ t: 30 });
  const { State } = await app.container.inspect();
  expect([State.ExitCode, State.OOMKilled]).toEqual([0, false]);
});
