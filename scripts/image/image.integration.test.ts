import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import postgres from "postgres";
import { clientFor } from "#infra/docker/client.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { HttpConnection } from "../bench/http-client.ts";
import type { AppProcess } from "../e2e/app-process.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { buildImage, type BuiltImage } from "./build.ts";
import { serversAt } from "./servers-at.fixture.ts";

// The image is built once; the first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const tag = `test-${crypto.randomUUID().slice(0, 8)}`;
let harness: Harness;
let dockerHost: string;
let docker: Docker;
let image: BuiltImage;

beforeAll(async () => {
  const [host, opened] = await Promise.all([testServer("docker"), openHarness()]);
  [harness, dockerHost] = [opened, host];
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

const HOT = "HOT-1";
const SKUS = [HOT, "COLD-1", "COLD-2"] as const;

/** Refills stock from several callers until it is stopped. What is refused for now is asked again, under the same key. */
async function refills(app: AppProcess, callers: number, skus: readonly string[]) {
  let over = false;
  const address = await app.listening();
  const done = new Map<string, number>();
  const calling = Array.from({ length: callers }, async (_, caller) => {
    const connection = await HttpConnection.open(address);
    for (let nth = 0; !over; nth++) {
      const sku = skus[(caller + nth) % skus.length] ?? HOT;
      const head = `POST /stock/${sku}/refill HTTP/1.1\r\nhost: ${new URL(address).host}\r\ncontent-type: application/json`;
      const key = `idempotency-key: refill-${callers}-${caller}-${nth}\r\ncontent-length: 14`;
      const bytes = new TextEncoder().encode(`${head}\r\n${key}\r\n\r\n{"quantity":1}`);
      for (;;) {
        const refused = await connection.send(bytes).then(
          () => undefined,
          (error: Error) => error,
        );
        if (refused === undefined) break;
        if (!/HTTP\/1\.1 (?:409|429|503)/.test(refused.message)) throw refused;
        await Bun.sleep(200);
      }
      done.set(sku, (done.get(sku) ?? 0) + 1);
    }
    connection.close();
  });
  return {
    async stop(): Promise<ReadonlyMap<string, number>> {
      over = true;
      await Promise.all(calling);
      return done;
    },
  };
}

/** Lets the commits of one actor wait, again and again: what is sent to it waits in its mailbox. */
function stalls(database: string, key: string) {
  let over = false;
  const sql = postgres(database, { max: 1, onnotice: () => undefined });
  const stalling = (async () => {
    while (!over) {
      await sql.begin(async (held) => {
        await held`select 1 from actor_states where key = ${key} for update`;
        await Bun.sleep(2_000);
      });
      await Bun.sleep(500);
    }
    await sql.end();
  })();
  return {
    async stop(): Promise<void> {
      over = true;
      await stalling;
    },
  };
}

test("a service of the image runs further nodes of the cluster: deeper mailboxes add some, and drain them when they are shallow; no refill is lost, doubled or refused", async () => {
  const data = await mkdtemp(join(tmpdir(), "troupe-nodes-"));
  const { IPAM } = (await docker.getNetwork("bridge").inspect()) as { IPAM: { Config: { Gateway: string }[] } };
  await using servers = await serversAt(IPAM.Config[0]?.Gateway ?? "", harness.environment());
  const app = harness.start({
    DOCKER_HOST: dockerHost,
    TROUPE_ROLES: "ingress,actors,workflows,scaler",
    TROUPE_DATA: data,
  });
  try {
    await app.ready();
    for (const sku of SKUS)
      await app.send("PUT", `/products/${sku}`, JSON.stringify({ name: sku, price: 100, currency: "EUR" }), {
        "content-type": "application/json",
      });
    const nodes = {
      image: image.reference,
      env: {
        ...servers.environment,
        HOST: "127.0.0.1",
        TROUPE_AUTH: "off",
        TROUPE_ROLES: "actors",
        TROUPE_DATA: "/tmp/data",
      },
      health: {
        exec: ["/usr/local/bin/bun", "/app/scripts/image/health.ts"],
        interval: "2s",
        timeout: "5s",
        startPeriod: "60s",
      },
      resources: { memory: "768MiB", cpus: 1, pids: 256 },
      scale: { min: 1, max: 2, on: { mailbox: { type: "stock", perReplica: 20 } }, down: "3s" },
      stop: { grace: "20s" },
    };
    const owners = (count: number) =>
      eventually(`${count} nodes own partitions`, 90_000, async () => {
        const { body } = await app.get("/actors");
        const { nodes: all } = body as { nodes: readonly { owns: boolean; partitions: number }[] };
        return all.length === count && all.every(({ owns, partitions }) => owns && partitions > 0);
      });
    const posted = await app.post("/config", { services: { nodes } });
    expect([posted.status, posted.body]).toMatchObject([202, { services: [{ name: "nodes", change: "create" }] }]);
    await owners(2);

    const few = await refills(app, 4, SKUS.slice(1));
    // More than one actor may have under way, so that some wait.
    const many = await refills(app, 1_300, [HOT]);
    const database = new URL(harness.environment()["DATABASE_URL"] ?? "");
    database.pathname = `/troupe_${harness.cluster}_stock`;
    const stalling = stalls(database.href, HOT);
    await owners(3);
    await stalling.stop();
    const counts = [await many.stop()];
    const { body } = await app.get("/services/nodes/explain");
    const { decisions } = body as { decisions: readonly { from: number; to: number; reason: string }[] };
    expect(decisions.find(({ to }) => to === 2)).toMatchObject({
      from: 1,
      reason: expect.stringContaining("mailbox is"),
    });

    await owners(2);
    await app.post("/config", { services: {} });
    await owners(1);
    counts.push(await few.stop());
    for (const sku of SKUS) {
      const stock = (await app.get(`/stock/${sku}`)).body as { onHand: number };
      expect([sku, stock.onHand]).toEqual([sku, counts.reduce((sum, of) => sum + (of.get(sku) ?? 0), 0)]);
    }
  } finally {
    const left = await docker.listContainers({ all: true, filters: { label: [`troupe.cluster=${harness.cluster}`] } });
    await app[Symbol.asyncDispose]();
    await Promise.allSettled(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
    await rm(data, { recursive: true, force: true });
  }
}, 300_000);
