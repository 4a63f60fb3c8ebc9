import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { clientFor } from "#infra/docker/client.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import { cuttableSocket, type CuttableSocket } from "#workflows/reconcile-service/testing/cuttable-socket.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { clusterNames } from "../../app/cluster-names.ts";
import type { AppProcess } from "../../e2e/app-process.ts";
import { type Harness, openHarness } from "../../e2e/harness.ts";
import type { Told } from "./history.ts";
import type { Entrance } from "./load.ts";
import { waitsOf } from "./standstill.ts";

/** An engine of the run's own, seen past the apps: they come to it over a socket that can be cut. */
export interface OwnHost {
  readonly name: string;
  readonly dockerd: OwnBroker;
  readonly docker: Docker;
  readonly engine: Engine;
  readonly socket: CuttableSocket;
}

/** What {@link ServicesSystem} may be told. */
export interface SystemOptions {
  /** Told every line of the apps' logs. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** A repository that no registry has. */
export const NO_IMAGE = "127.0.0.1:1/none:1";
const HOSTS = ["a", "b"] as const;
const APPS = 2;
const ASKS_WITHIN_MS = 60_000;
const UNCAUGHT = /"app:(?:rejection|exception)"/;

/** Two Docker engines of the run's own, and two processes of the app that both drive both of them. */
export class ServicesSystem implements AsyncDisposable {
  readonly hosts: readonly OwnHost[];
  readonly uncaught: string[] = [];
  readonly #harness: Harness;
  readonly #apps: { process: AppProcess; entrance: Entrance | undefined; kill: () => void }[] = [];
  readonly #stack: AsyncDisposableStack;
  readonly #onLine: (line: string) => void;

  private constructor(
    hosts: readonly OwnHost[],
    harness: Harness,
    stack: AsyncDisposableStack,
    onLine: (line: string) => void,
  ) {
    this.hosts = hosts;
    this.#harness = harness;
    this.#stack = stack;
    this.#onLine = onLine;
  }

  static async start({ onLine = () => undefined }: SystemOptions = {}): Promise<ServicesSystem> {
    const stack = new AsyncDisposableStack();
    try {
      const data = await mkdtemp(join(tmpdir(), "troupe-chaos-"));
      stack.defer(() => rm(data, { recursive: true, force: true }));
      const cluster = Promise.withResolvers<string>();
      const [hosts, harness] = await Promise.all([
        Promise.all(HOSTS.map(async (name) => ownHost(name, await cluster.promise, stack))),
        (async () => {
          const opened = await openHarness({ environment: { TROUPE_DATA: data } });
          cluster.resolve(opened.cluster);
          return stack.use(opened);
        })(),
      ]);
      const system = new ServicesSystem(hosts, harness, stack, onLine);
      // The apps go before the engines: nobody heals what is cleared away.
      stack.defer(() => system.#end());
      await Promise.all(Array.from({ length: APPS }, (_, i) => system.startApp(i)));
      return system;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  get cluster(): string {
    return this.#harness.cluster;
  }

  /** The processes that take requests. */
  entrances(): readonly Entrance[] {
    return this.#apps.flatMap(({ entrance }) => entrance ?? []);
  }

  /** Starts the app process of a place, and waits until it is ready. */
  async startApp(place: number): Promise<void> {
    const environment = {
      TROUPE_ENGINE: this.hosts.map(({ name, socket }) => `${name}=docker:${socket.host}`).join(","),
      TROUPE_ROLES: "ingress,actors,workflows,scaler",
      TROUPE_IMAGES: "127.0.0.1:1/*",
    };
    const process = this.#harness.start(environment, (line) => {
      this.#onLine(line);
      if (UNCAUGHT.test(line)) this.uncaught.push(line.slice(0, 400));
    });
    let killed = false;
    const app = {
      process,
      entrance: undefined as Entrance | undefined,
      kill: (): void => {
        killed = true;
        app.entrance = undefined;
      },
    };
    this.#apps[place] = app;
    await process.ready();
    app.entrance = { address: await process.listening(), killed: () => killed };
  }

  /** SIGKILL for the app process of a place. */
  async killApp(place: number): Promise<void> {
    const app = this.#apps[place];
    app?.kill();
    await app?.process.kill();
  }

  /** Asks one of the processes that are there, again until one answers. `by`: the process that is to be asked. */
  async ask(method: string, path: string, body?: unknown, by?: number): Promise<{ status: number; body: unknown }> {
    let turn = by ?? 0;
    return await eventually(`${method} ${path} is answered`, ASKS_WITHIN_MS, async () => {
      const there = this.entrances();
      const entrance = there[turn++ % there.length];
      if (entrance === undefined) return undefined;
      try {
        const response = await fetch(entrance.address + path, {
          method,
          signal: AbortSignal.timeout(15_000),
          ...(body === undefined
            ? {}
            : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        });
        const text = await response.text();
        if (response.status === 503 || response.status === 429) return undefined;
        return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as unknown) : text };
      } catch {
        return undefined; // It was killed, or is.
      }
    });
  }

  /** What was told of the containers of a service, in order. */
  async told(service: string): Promise<Told[]> {
    return (await this.#harness.natsEvents()).flatMap(({ type, data }) =>
      (type === "container.started.v1" || type === "container.died.v1") && data["service"] === service
        ? [{ type, containerId: String(data["containerId"]) }]
        : [],
    );
  }

  /** Which revision a service has made of which configuration, in order. */
  async configured(service: string): Promise<{ readonly config: number; readonly revision: string }[]> {
    return (await this.#harness.natsEvents()).flatMap(({ type, data }) =>
      type === "service.configured.v1" && data["name"] === service
        ? [{ config: Number(data["configRevision"]), revision: String(data["revision"]) }]
        : [],
    );
  }

  /** What the reconcile loop of a service does or waits for, in one line. */
  async loopOf(service: string): Promise<string> {
    const environment = this.#harness.environment();
    const temporal = temporalConnection({
      address: environment["TEMPORAL_ADDRESS"] ?? "",
      namespace: this.cluster,
      prefix: clusterNames(this.cluster).prefix,
    });
    try {
      const id = workflowIds.reconcileService(service);
      const { raw, status } = await temporal.call(() =>
        temporal.client.workflow.getHandle(temporal.prefix + id).describe(),
      );
      return `${id} is ${waitsOf({ ...raw, code: status.code }, Date.now())}`;
    } finally {
      await temporal.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#apps.map(({ process }) => process[Symbol.asyncDispose]()));
    for (const { engine } of this.hosts) {
      const all = await engine.list().catch(() => []);
      await Promise.allSettled(all.map(({ id }) => engine.remove(id, 0)));
    }
  }
}

async function ownHost(name: string, cluster: string, stack: AsyncDisposableStack): Promise<OwnHost> {
  const dockerd = await OwnBroker.start("docker");
  stack.defer(async () => {
    // In peace: it takes its mounts with it.
    await dockerd.kill("SIGTERM");
    await dockerd[Symbol.asyncDispose]();
  });
  const socket = stack.use(await cuttableSocket(dockerd.address));
  const engine = connectEngine({ host: dockerd.address, cluster });
  await ensureEchoImage(engine);
  return { name, dockerd, docker: clientFor(dockerd.address), engine, socket };
}
