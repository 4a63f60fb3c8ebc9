import type Docker from "dockerode";
import { clientFor } from "#infra/docker/client.ts";
import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { UnavailableError } from "#infra/stack/types.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import type { AppProcess } from "../e2e/app-process.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { progress } from "./progress.ts";
import { ECHO_PORT, removeAll } from "./raw-containers.ts";
import { beSwarm, PREFER_OFFLINE } from "./swarm.ts";

const CONVERGES_WITHIN_MS = 240_000;

/** A service in a configuration that is posted as JSON. */
export type FiledService = Readonly<Record<string, unknown>>;

/** One app process, one Docker engine, and Docker Swarm on the same engine where it can be one. */
export class ServiceBed implements AsyncDisposable {
  readonly docker: Docker;
  readonly app: AppProcess;
  /** `http://127.0.0.1:port` of the app. */
  readonly address: string;
  readonly cluster: string;
  /** The brokers of Kafka that services are scaled on. */
  readonly kafka: string;
  /** Why there is no Swarm beside; `undefined`: there is. */
  readonly noSwarm: string | undefined;
  readonly #stack: AsyncDisposableStack;
  #services: Readonly<Record<string, FiledService>> = {};

  private constructor(
    parts: Pick<ServiceBed, "docker" | "app" | "address" | "cluster" | "kafka" | "noSwarm">,
    stack: AsyncDisposableStack,
  ) {
    ({
      docker: this.docker,
      app: this.app,
      address: this.address,
      cluster: this.cluster,
      kafka: this.kafka,
      noSwarm: this.noSwarm,
    } = parts);
    this.#stack = stack;
  }

  static async open(): Promise<ServiceBed> {
    const stack = new AsyncDisposableStack();
    try {
      const { host, noSwarm: cannot } = await engineOf(stack);
      const docker = clientFor(host);
      const noSwarm =
        cannot ??
        (await beSwarm(docker).then(
          () => undefined,
          (error: unknown) => String(error),
        ));
      progress(noSwarm === undefined ? "services: Docker Swarm stands beside" : `services: no Swarm: ${noSwarm}`);
      const kafka = await testServer("kafka");
      const harness: Harness = stack.use(
        await openHarness({
          environment: { DOCKER_HOST: host, TROUPE_ROLES: "ingress,actors,workflows,scaler", KAFKA_BROKERS: kafka },
        }),
      );
      const { cluster } = harness;
      await ensureEchoImage(connectEngine({ host, cluster }));
      const app = await harness.start().ready();
      return new ServiceBed({ docker, app, address: await app.listening(), cluster, kafka, noSwarm }, stack);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** Adds services to the configuration, changes them, or takes them out (`null`). Resolves when it is accepted. */
  async post(change: Readonly<Record<string, FiledService | null>>): Promise<void> {
    const all = Object.entries({ ...this.#services, ...change }).filter(([, service]) => service !== null);
    this.#services = Object.fromEntries(all) as Record<string, FiledService>;
    const answer = await this.app.post("/config", { services: this.#services });
    if (answer.status >= 300) throw new Error(`POST /config answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  /** Waits until a service has converged on what was posted last, with so many healthy replicas. */
  async converged(name: string, replicas: number): Promise<{ readonly ports: readonly number[] }> {
    return await eventually(`${name} converges on ${replicas}`, CONVERGES_WITHIN_MS, async () => {
      const { body } = await this.app.get(`/services/${name}`);
      const {
        status,
        outbox,
        observed = [],
      } = body as {
        status?: string;
        outbox?: string;
        observed?: readonly { healthy: boolean; hostPorts: readonly number[] }[];
      };
      if (status !== "converged" || outbox !== "DONE" || observed.length !== replicas) return undefined;
      return observed.every(({ healthy }) => healthy) && { ports: observed.flatMap(({ hostPorts }) => hostPorts) };
    });
  }

  /** Waits until no container of a service is left. */
  async gone(name: string): Promise<void> {
    await eventually(`${name} has no containers`, CONVERGES_WITHIN_MS, async () => (await this.running(name)) === 0);
  }

  /** How many containers of a service run. */
  async running(name: string): Promise<number> {
    const label = [`troupe.cluster=${this.cluster}`, `troupe.service=${name}`];
    return (await this.docker.listContainers({ filters: { label, status: ["running"] } })).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The app goes first, or it would heal what is removed here.
    await this.app[Symbol.asyncDispose]();
    await Promise.all([removeAll(this.docker, this.cluster), removeAll(this.docker, `${this.cluster}raw`)]);
    if (this.noSwarm === undefined) await this.docker.swarmLeave({ force: true });
    await this.#stack.disposeAsync();
  }
}

/** The echo service, with what a case changes about it. */
export function echoService(change: FiledService = {}): FiledService {
  return {
    image: ECHO_IMAGE,
    command: ["serve"],
    ports: [ECHO_PORT],
    resources: { memory: "64MiB", cpus: 0.5 },
    stop: { grace: "1s" },
    ...change,
  };
}

/**
 * An engine of the run's own, that nobody else's Swarm is on. Where none can be started it is the tests', which is left as
 * it is.
 */
async function engineOf(stack: AsyncDisposableStack) {
  process.env[PREFER_OFFLINE] = "1";
  try {
    const own = await OwnBroker.start("docker");
    stack.defer(async () => {
      // In peace: it takes its mounts with it.
      await own.kill("SIGTERM");
      await own[Symbol.asyncDispose]();
    });
    return { host: own.address, noSwarm: undefined };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { host: await testServer("docker"), noSwarm: `this engine is not the run's own: ${error.message}` };
  } finally {
    delete process.env[PREFER_OFFLINE];
  }
}
