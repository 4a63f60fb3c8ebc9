/** From a wish to containers that answer, and from a killed one to its successor: beside raw creates and Docker Swarm. */
import { eventually } from "#infra/testing/eventually.ts";
import { type Measured, summary } from "./measure.ts";
import { progress } from "./progress.ts";
import { createRaw, removeAll, untilAnswering } from "./raw-containers.ts";
import type { BenchCase } from "./report.ts";
import { echoService, type ServiceBed } from "./service-bed.ts";
import { answering, createSwarmService } from "./swarm.ts";

const COUNT = 10;

/** Ten containers at once; the rounds of all that are compared alternate. */
export async function* tenAtOnce(bed: ServiceBed, rounds: number): AsyncGenerator<BenchCase> {
  const { docker, cluster, noSwarm } = bed;
  const raw = `${cluster}raw`;
  const times = { ours: [] as number[], raw: [] as number[], swarm: [] as number[] };
  const replicas = COUNT;
  for (let round = 0; round < rounds; round++) {
    progress(`services: ${COUNT} at once, ${round + 1} of ${rounds}`);
    times.raw.push(
      await timed(async () => {
        await Promise.all(Array.from({ length: COUNT }, (_, replica) => createRaw(docker, raw, replica)));
        await untilAnswering(docker, raw, COUNT);
      }),
    );
    await removeAll(docker, raw);
    times.ours.push(
      await timed(async () => {
        await bed.post({ ten: echoService({ replicas }) });
        await untilAnswering(docker, cluster, COUNT);
      }),
    );
    await bed.post({ ten: null });
    await bed.gone("ten");
    if (noSwarm !== undefined) continue;
    let swarm: Awaited<ReturnType<typeof createSwarmService>> | undefined;
    times.swarm.push(await timed(async () => void (swarm = await createSwarmService(docker, COUNT))));
    await swarm?.remove();
  }
  const bench = "services";
  const measured = perContainer(times.ours);
  const title = `${COUNT} desired to answering`;
  const baseline = { name: "raw parallel creates", ...perContainer(times.raw) };
  yield { bench, case: `${title}, raw creates beside`, measured, baseline };
  if (noSwarm === undefined)
    yield {
      bench,
      case: `${title}, Swarm beside`,
      measured,
      baseline: { name: "Docker Swarm, without networks of their own", ...perContainer(times.swarm) },
    };
}

/** One killed after the other, each another one. */
export async function* healing(bed: ServiceBed, kills: number): AsyncGenerator<BenchCase> {
  const { docker, cluster, noSwarm } = bed;
  await bed.post({ ten: echoService({ replicas: COUNT }) });
  await bed.converged("ten", COUNT);
  const times: number[] = [];
  let alive = await untilAnswering(docker, cluster, COUNT);
  for (let kill = 0; kill < kills; kill++) {
    const victim = alive[kill % alive.length];
    if (victim === undefined) throw new Error("There is no container to kill");
    const others = new Set(alive.map(({ id }) => id).filter((id) => id !== victim.id));
    times.push(
      await timed(async () => {
        await docker.getContainer(victim.id).kill();
        alive = await untilAnswering(docker, cluster, COUNT, others);
      }),
    );
    progress(`services: kill ${kill + 1} healed after ${Math.round(times.at(-1) ?? 0)} ms`);
  }
  await bed.post({ ten: null });
  await bed.gone("ten");
  const measured = inTurn(times);
  const healed = { bench: "services", case: "killed to serving", measured } as const;
  if (noSwarm !== undefined) return yield healed;
  yield { ...healed, baseline: { name: "Docker Swarm, --restart-delay 0s", ...(await swarmHealing(bed, kills)) } };
}

async function swarmHealing({ docker }: ServiceBed, kills: number): Promise<Measured> {
  const service = await createSwarmService(docker, COUNT);
  const times: number[] = [];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const port = service.ports[kill % COUNT] ?? 0;
      const id = await eventually("the task has a container", 10_000, () => service.containerOf(port));
      times.push(
        await timed(async () => {
          await docker.getContainer(id).kill();
          await answering(port);
        }),
      );
      progress(`services: Swarm healed after ${Math.round(times.at(-1) ?? 0)} ms`);
    }
  } finally {
    await service.remove();
  }
  return inTurn(times);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** A round is one time, the rate is containers a second. */
function perContainer(times: readonly number[]): Measured {
  const measured = inTurn(times);
  return { ...measured, opsPerSecond: measured.opsPerSecond * COUNT };
}

function inTurn(times: readonly number[]): Measured {
  return summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000);
}
