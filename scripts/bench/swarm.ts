import type Docker from "dockerode";
import { ECHO_IMAGE } from "#infra/docker/echo-image.ts";
import { eventually } from "#infra/testing/eventually.ts";

/** A service of Docker Swarm whose tasks answer, each at a port of its own. */
export interface SwarmService {
  readonly ports: readonly number[];
  /** The container that a task runs in now, by its port. */
  containerOf(port: number): Promise<string>;
  remove(): Promise<void>;
}

const ANSWERS_WITHIN_MS = 60_000;
/** Followed by the number of the task, from 1: ports from 2601 to 26010. */
const PORT_PREFIX = "260";
const LABEL = "troupe.bench.swarm";
/** Read by an engine as it starts: what is here is not looked for in a registry first, which may take its resolver ten seconds. */
export const PREFER_OFFLINE = "DOCKER_SERVICE_PREFER_OFFLINE_IMAGE";

/**
 * Makes an engine a Swarm of one node. Its tasks are given the machine's own network: Swarm's routing mesh needs firewall rules,
 * which an engine beside others does without.
 * @throws {Error} it cannot be one: why.
 */
export async function beSwarm(docker: Docker): Promise<void> {
  await docker.swarmInit({ ListenAddr: "127.0.0.1:0", AdvertiseAddr: "127.0.0.1" });
}

/** So many tasks of the echo image. Restarted at once (`--restart-delay 0s`). Resolves when all of them answer. */
export async function createSwarmService(docker: Docker, replicas: number): Promise<SwarmService> {
  const ports = Array.from({ length: replicas }, (_, i) => Number(`${PORT_PREFIX}${i + 1}`));
  const service = await docker.createService({
    Name: `bench-${crypto.randomUUID().slice(0, 8)}`,
    TaskTemplate: {
      ContainerSpec: {
        Image: ECHO_IMAGE,
        Args: ["serve"],
        Env: [`PORT=${PORT_PREFIX}{{.Task.Slot}}`],
        Labels: { [LABEL]: "yes" },
        StopGracePeriod: 1e9,
      },
      Networks: [{ Target: "host" }],
      RestartPolicy: { Condition: "any", Delay: 0 },
      Resources: { Limits: { MemoryBytes: 64 * 1_048_576, NanoCPUs: 5e8 } },
    },
    Mode: { Replicated: { Replicas: replicas } },
  });
  await Promise.all(ports.map(answering));
  return {
    ports,
    async containerOf(port) {
      const slot = String(port).slice(PORT_PREFIX.length);
      const running = await docker.listContainers({ filters: { label: [LABEL], status: ["running"] } });
      // Named `<service>.<slot>.<task>`.
      const found = running.find(({ Names }) => Names[0]?.includes(`.${slot}.`));
      if (found === undefined) throw new Error(`No task of Swarm runs at port ${port}`);
      return found.Id;
    },
    async remove() {
      await service.remove();
      await eventually("the tasks of Swarm are gone", ANSWERS_WITHIN_MS, async () => {
        const left = await docker.listContainers({ all: true, filters: { label: [LABEL] } });
        return left.length === 0;
      });
    },
  };
}

/** Resolves when something answers at a port. */
export async function answering(port: number): Promise<void> {
  await eventually(`port ${port} answers`, ANSWERS_WITHIN_MS, async () =>
    fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000), keepalive: false }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    ),
  );
}
