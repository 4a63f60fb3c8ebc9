import type Docker from "dockerode";
import { clientFor } from "#infra/docker/client.ts";
import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "../e2e/app-process.ts";
import { openHarness } from "../e2e/harness.ts";
import { type Measured, summary } from "./measure.ts";
import { progress } from "./progress.ts";
import { createRaw, ECHO_PORT, removeAll, untilAnswering } from "./raw-containers.ts";
import type { BenchCase } from "./report.ts";

const COUNT = 10;
const ROUNDS = 3;
const KILLS = 10;
const GONE_WITHIN_MS = 60_000;

/** Containers from the wish to the answer, against raw parallel creates; and how soon a killed one is replaced. */
export async function* containers(): AsyncGenerator<BenchCase> {
  const host = await testServer("docker"); // first: without an engine nothing else has to be started
  const docker = clientFor(host);
  const harness = await openHarness({
    environment: { TROUPE_CHECK_REPLIES: "off", DOCKER_HOST: host, TROUPE_ROLES: "ingress,actors,workflows,scaler" },
  });
  const { cluster } = harness;
  try {
    await ensureEchoImage(connectEngine({ host, cluster }));
    progress(`containers: ${ROUNDS} times ${COUNT} raw creates`);
    const baseline = { name: "raw parallel creates", ...(await rawCreates(docker, `${cluster}raw`)) };
    progress(`containers: ${ROUNDS} times ${COUNT} over POST /config (start of the app first)`);
    const app = await harness.start().ready();
    const measured = await desired(app, docker, cluster);
    yield { bench: "containers", case: `${COUNT} desired to answering, ${ROUNDS} times`, measured, baseline };
    progress(`containers: ${KILLS} kills`);
    await post(app, COUNT);
    yield { bench: "containers", case: `healing, ${KILLS} kills`, measured: await healing(docker, cluster) };
  } finally {
    // The app goes first, or it would heal what is removed here.
    await harness[Symbol.asyncDispose]();
    await Promise.all([removeAll(docker, cluster), removeAll(docker, `${cluster}raw`)]);
  }
}

/** Rounds of all containers at once; a round is one time, the rate is containers per second. */
async function rounds(make: () => Promise<unknown>, remove: () => Promise<unknown>): Promise<Measured> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    await make();
    times.push(performance.now() - startedAt);
    await remove();
  }
  const measured = summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000);
  return { ...measured, opsPerSecond: measured.opsPerSecond * COUNT };
}

function rawCreates(docker: Docker, cluster: string): Promise<Measured> {
  return rounds(
    async () => {
      await Promise.all(Array.from({ length: COUNT }, (_, replica) => createRaw(docker, cluster, replica)));
      await untilAnswering(docker, cluster, COUNT);
    },
    () => removeAll(docker, cluster),
  );
}

function desired(app: AppProcess, docker: Docker, cluster: string): Promise<Measured> {
  return rounds(
    async () => {
      await post(app, COUNT);
      await untilAnswering(docker, cluster, COUNT);
    },
    async () => {
      await post(app, 0);
      await eventually("the containers are gone", GONE_WITHIN_MS, async () => {
        const left = await docker.listContainers({ all: true, filters: { label: [`troupe.cluster=${cluster}`] } });
        return left.length === 0;
      });
    },
  );
}

async function post(app: AppProcess, replicas: number): Promise<void> {
  const services = { bench: { image: ECHO_IMAGE, replicas, command: ["serve"], ports: [ECHO_PORT] } };
  const answer = await app.post("/config", { services });
  if (answer.status >= 300) throw new Error(`POST /config answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** Kills one after the other, each a different one, and waits until as many answer as before. */
async function healing(docker: Docker, cluster: string): Promise<Measured> {
  const times: number[] = [];
  let alive = await untilAnswering(docker, cluster, COUNT);
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = alive[kill % alive.length];
    if (victim === undefined) throw new Error("There is no container to kill");
    const startedAt = performance.now();
    await docker.getContainer(victim.id).kill();
    const others = new Set(alive.map(({ id }) => id).filter((id) => id !== victim.id));
    alive = await untilAnswering(docker, cluster, COUNT, others);
    times.push(performance.now() - startedAt);
    progress(`containers: kill ${kill + 1} healed after ${Math.round(times.at(-1) ?? 0)} ms`);
  }
  return summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000);
}
