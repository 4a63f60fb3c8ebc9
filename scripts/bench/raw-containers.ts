import type Docker from "dockerode";
import { createOptions } from "#infra/docker/container-options.ts";
import { ECHO_IMAGE } from "#infra/docker/echo-image.ts";
import { LABELS, Signer } from "#infra/engines/identity.ts";

/** The port that the echo image listens on. */
export const ECHO_PORT = 8080;

const POLL_MS = 10;
const ANSWER_WITHIN_MS = 60_000;
const MEGABYTE = 1_048_576;

/** A container that answered, by its engine id. */
export interface Answering {
  readonly id: string;
}

/** Creates and starts a container of a cluster, as the engine's own interface lets anybody do it. */
export async function createRaw(docker: Docker, cluster: string, replica: number): Promise<void> {
  const resources = { memoryBytes: 256 * MEGABYTE, cpus: 1, pids: 64 };
  const identity = { cluster, service: "raw", revision: "1", replica };
  const shape = { image: ECHO_IMAGE, command: ["serve"], env: {}, ports: [{ container: ECHO_PORT, host: null }] };
  const marks = { ...identity, fence: 0, image: ECHO_IMAGE, uid: crypto.randomUUID() };
  const labels = new Signer(cluster, ["bench"]).labels(marks);
  const container = await docker.createContainer(createOptions({ ...identity, ...shape, resources }, labels));
  await container.start();
}

/** Waits until `count` running containers of the cluster answer over HTTP; each is asked until it has answered once. */
export async function untilAnswering(
  docker: Docker,
  cluster: string,
  count: number,
  known: ReadonlySet<string> = new Set(),
): Promise<readonly Answering[]> {
  const answered = new Set(known);
  for (const until = performance.now() + ANSWER_WITHIN_MS; performance.now() < until;) {
    const running = await docker.listContainers({ filters: { label: [`${LABELS.cluster}=${cluster}`] } });
    await Promise.all(
      running
        .filter(({ Id, State }) => State === "running" && !answered.has(Id))
        .map(async ({ Id, Ports }) => {
          const port = Ports.find(({ PrivatePort }) => PrivatePort === ECHO_PORT)?.PublicPort;
          if (port !== undefined && (await answers(port))) answered.add(Id);
        }),
    );
    const now = running.filter(({ Id, State }) => State === "running" && answered.has(Id));
    if (now.length >= count) return now.map(({ Id }) => ({ id: Id }));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`Waited ${ANSWER_WITHIN_MS} ms in vain for ${count} containers that answer`);
}

/** Removes every container of the cluster. */
export async function removeAll(docker: Docker, cluster: string): Promise<void> {
  const all = await docker.listContainers({ all: true, filters: { label: [`${LABELS.cluster}=${cluster}`] } });
  await Promise.allSettled(all.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
}

async function answers(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}
