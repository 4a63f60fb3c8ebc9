/** A whole system with something to see on every page of the console: orders that went well and one that did not, brokers, services. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { LABELS } from "#infra/engines/identity.ts";
import { testEnvironment } from "#infra/stack/for-tests.ts";
import type { Env } from "#infra/stack/types.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { removeRabbitMqObjects } from "./rabbitmq-objects.ts";
import { removeKeys } from "./redis-keys.ts";
import { place, stockUp, untilOrder } from "./shop.ts";

const WITHIN_MS = 90_000;
const SERVICES = `
services:
  web:
    image: troupe/echo:1
    replicas: 2
    command: ["serve"]
    env: { GREETING: hello }
    ports: [8080]
    health: { http: /health, port: 8080, interval: 500ms, timeout: 1s, retries: 3, startPeriod: 5s }
    resources: { memory: 64MiB, cpus: 0.5, pids: 100 }
  broken:
    image: troupe/echo:1
    command: ["crash"]
`;

/** What there is to see. */
export interface Sights {
  readonly delivered: string;
  /** An order whose card was declined. */
  readonly failed: string;
  readonly letterId: string;
  readonly traceId: string;
}

/** The system, and what it is made of. */
export class ConsoleSystem implements AsyncDisposable {
  readonly harness: Harness;
  readonly app: AppProcess;
  readonly base: string;
  readonly sights: Sights;
  readonly #servers: Env;
  readonly #data: string;

  private constructor(harness: Harness, app: AppProcess, base: string, sights: Sights, servers: Env, data: string) {
    this.harness = harness;
    this.app = app;
    this.base = base;
    this.sights = sights;
    this.#servers = servers;
    this.#data = data;
  }

  /** Starts it, with something on every page. */
  static async open(): Promise<ConsoleSystem> {
    const servers = await testEnvironment("rabbitmq", "redis", "docker");
    const data = await mkdtemp(join(tmpdir(), "troupe-console-"));
    const harness = await openHarness({
      kafka: true,
      environment: {
        ...servers,
        ...{ TROUPE_ROLES: "ingress,actors,workflows,scaler", TROUPE_DATA: data, TROUPE_HOST: "here" },
        ...{
          TROUPE_CHAOS: "on",
          WEBHOOK_ALLOW_PRIVATE: "on",
          DELIVERY_STEP: "200ms",
          OTEL_TRACES_SAMPLER: "parentbased_always_on",
        },
      },
    });
    const app = await harness.start().ready();
    const sights = await furnish(app);
    return new ConsoleSystem(harness, app, await app.listening(), sights, servers, data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { cluster } = this.harness;
    await this.harness[Symbol.asyncDispose]();
    const docker = new Docker({ socketPath: (this.#servers["DOCKER_HOST"] ?? "").replace("unix://", "") });
    const ours = await docker.listContainers({ all: true, filters: { label: [`${LABELS.cluster}=${cluster}`] } });
    await Promise.allSettled([
      ...ours.map(({ Id }) => docker.getContainer(Id).remove({ force: true })),
      removeRabbitMqObjects(this.#servers["RABBITMQ_URL"] ?? "", cluster),
      removeKeys(this.#servers["REDIS_URL"] ?? "", `${cluster}:`),
      rm(this.#data, { recursive: true, force: true }),
    ]);
  }
}

async function furnish(app: AppProcess): Promise<Sights> {
  for (const sku of ["TEA-1", "CUP-1", "POT-1"]) await stockUp(app, sku, 50);
  await app.send("POST", "/config", SERVICES, { "content-type": "application/yaml" });
  const json = { "content-type": "application/json" };
  const put = (path: string, body: unknown) => app.send("PUT", path, JSON.stringify(body), json);
  await put("/schemas/demo.strict", { type: "object", required: ["n"] });
  await put("/routes/demo", { match: { type: "demo.*" }, to: [{ sink: "kafka", topic: "demo" }] });
  await put("/sources/shop", { scheme: "github", secrets: ["a secret of this test"] });
  await app.post("/endpoints", { url: "https://hooks.example.com/in", description: "A partner" });
  const delivered = await place(app, "TEA-1", 2, { customerId: "ada" });
  const failed = await place(app, "CUP-1", 1, { customerId: "bob", paymentToken: "tok_declined" });
  const { headers } = await app.post("/orders", { customerId: "eve", lines: [{ sku: "POT-1", quantity: 1 }] });
  await eventually("the node knows the schema", WITHIN_MS, async () => {
    return (await app.post("/events", { type: "demo.strict", data: {} })).status === 422;
  });
  const letters = (await app.get("/dead-letters")).body as { readonly items: readonly { readonly id: string }[] };
  await untilOrder(app, delivered, "delivered");
  await eventually("the card was declined", WITHIN_MS, async () => {
    return ((await app.get(`/orders/${failed}`)).body as { status: string }).status === "rejected";
  });
  await eventually("the service runs", WITHIN_MS, async () => {
    return ((await app.get("/services/web")).body as { status: string }).status === "converged";
  });
  return { delivered, failed, letterId: letters.items[0]?.id ?? "", traceId: headers.get("x-trace-id") ?? "" };
}
