/** How soon replicas follow their work: a lag that jumps, and the first request to a service that sleeps. */
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { eventually } from "#infra/testing/eventually.ts";
import { summary } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { echoService, type ServiceBed } from "./service-bed.ts";

const REPLICAS = 4;
const RUNS_WITHIN_MS = 60_000;
/** Waits for nothing that is measured: how long a service is left alone before its next request. */
const ASLEEP_MS = 1_500;

/** A group's lag jumps from nothing to what four replicas are for. */
export async function* lagSteps(bed: ServiceBed, steps: number): AsyncGenerator<BenchCase> {
  const admin = new Admin({ clientId: "bench", bootstrapBrokers: [bed.kafka] });
  const producer = new Producer({ clientId: "bench", bootstrapBrokers: [bed.kafka], serializers: stringSerializers });
  const topics = Array.from({ length: steps }, (_, step) => `${bed.cluster}.lag${step}`);
  const times: number[] = [];
  try {
    await admin.createTopics({ topics, partitions: REPLICAS, replicas: 1 });
    for (const [step, topic] of topics.entries()) {
      const on = { kafkaLag: { group: topic, topic, perReplica: 10 } };
      const name = `lag${step}`;
      await bed.post({ [name]: echoService({ scale: { min: 1, max: REPLICAS, on, up: "0s" } }) });
      await bed.converged(name, 1);
      const messages = Array.from({ length: REPLICAS * 20 }, (_, i) => ({ topic, key: String(i), value: String(i) }));
      await producer.send({ messages });
      const startedAt = performance.now();
      await eventually("all replicas run", RUNS_WITHIN_MS, async () => (await bed.running(name)) === REPLICAS);
      times.push(performance.now() - startedAt);
      progress(`services: ${REPLICAS} replicas ${Math.round(times.at(-1) ?? 0)} ms after the lag`);
      await bed.post({ [name]: null });
      await bed.gone(name);
    }
  } finally {
    await producer.close();
    await admin.deleteTopics({ topics }).catch(() => undefined);
    await admin.close();
  }
  const measured = summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000);
  yield { bench: "services", case: `lag step to ${REPLICAS} replicas running`, measured };
}

/** The first request to a service without a replica waits for one. */
export async function* atZero(bed: ServiceBed, sleeps: number): AsyncGenerator<BenchCase> {
  const scale = { min: 0, max: 2, on: { inFlight: 10 }, down: "1s", toZeroAfter: "1s" };
  await bed.post({ sleepy: echoService({ scale }) });
  const times: number[] = [];
  for (let turn = 0; turn < sleeps; turn++) {
    await bed.converged("sleepy", 0);
    await Bun.sleep(ASLEEP_MS);
    const startedAt = performance.now();
    const answer = await bed.app.get("/s/sleepy/");
    times.push(performance.now() - startedAt);
    if (answer.status !== 200) throw new Error(`A service at zero answered ${answer.status}`);
    progress(`services: awake after ${Math.round(times.at(-1) ?? 0)} ms`);
  }
  await bed.post({ sleepy: null });
  await bed.gone("sleepy");
  const measured = summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000);
  yield { bench: "services", case: "request to a service at zero", measured };
}
