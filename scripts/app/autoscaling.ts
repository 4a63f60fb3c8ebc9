import { Autoscaler } from "#actors/orchestrator/autoscaler/autoscaler.ts";
import type { ScaleOn } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { replicasOf } from "#actors/orchestrator/service/state.ts";
import { everyOne } from "#infra/base/every-one.ts";
import { type Periodic, periodically } from "#infra/base/periodically.ts";
import type { ClientTls } from "#infra/base/tls.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { GroupLags } from "#infra/kafka/group-lag.ts";
import type { NatsLink } from "#infra/nats/connection.ts";
import { consumerPending } from "#infra/nats/consumer-pending.ts";
import { QueueReadings } from "#infra/rabbitmq/queue-ready.ts";
import { GroupReadings } from "#infra/redis/group-pending.ts";
import { taskQueueBacklog } from "#infra/temporal/backlog.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Log, Troupe } from "#runtime";

/** What {@link startAutoscaling} reads from. What is not there cannot be read: nothing is made smaller for it. */
export interface AutoscalingOptions {
  readonly troupe: Troupe;
  /** Where its replicas are, for their use of processors and memory. */
  readonly engines: readonly Pick<Engine, "list" | "stats">[];
  readonly nats: NatsLink | undefined;
  readonly kafka: readonly string[] | undefined;
  /** The addresses of RabbitMQ and Redis, and whom we trust there. */
  readonly rabbitmq: string | undefined;
  readonly redis: string | undefined;
  readonly tls: ClientTls;
  readonly temporal: Temporal;
  readonly log: Log;
  readonly everyMs?: number;
}

const EVERY_MS = 1_000;
const FORGET_EVERY = 60;
const READ_WITHIN_MS = 4_000;

/** Looks every second at each service that is scaled, and has its autoscaler decide. */
export function startAutoscaling(options: AutoscalingOptions): Periodic {
  const { troupe, log, everyMs = EVERY_MS } = options;
  const { rabbitmq, redis, tls } = options;
  const lags = options.kafka === undefined ? undefined : new GroupLags(options.kafka);
  const queues = rabbitmq === undefined ? undefined : new QueueReadings(rabbitmq, tls);
  const groups = redis === undefined ? undefined : new GroupReadings(redis, tls);
  let round = 0;
  const looking = periodically(
    everyMs,
    () => look(round++),
    (error) => log("debug", "autoscaling:failed", { error: String(error) }),
  );

  async function look(round: number): Promise<void> {
    const services = (await everyOne(troupe, Service)).filter(({ state }) => state.scale !== null && !state.removed);
    await Promise.all(
      services.map(async ({ key, state }) => {
        if (state.scale === null) return;
        const readings = await readAll(key, state.scale.on);
        await troupe.ref(Autoscaler, key).tick({ policy: state.scale, current: replicasOf(state), readings });
      }),
    );
    if (round % FORGET_EVERY !== 0) return;
    const scaled = new Set(services.map(({ key }) => key));
    for (const { key } of await everyOne(troupe, Autoscaler))
      if (!scaled.has(key)) await troupe.ref(Autoscaler, key).forget();
  }

  /** Everything but the requests under way, which the nodes that have them tell. */
  async function readAll(service: string, on: ScaleOn): Promise<Record<string, number | null>> {
    const readings: Record<string, number | null> = {};
    const read = async (name: string, value: () => Promise<number>): Promise<void> => {
      const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), READ_WITHIN_MS));
      readings[name] = await Promise.race([value().catch(() => null), late]);
    };
    const jobs: Promise<void>[] = [];
    if (on.cpu !== undefined || on.memory !== undefined) {
      const stats = use(service);
      if (on.cpu !== undefined) jobs.push(read("cpu", async () => (await stats).cpu));
      if (on.memory !== undefined) jobs.push(read("memory", async () => (await stats).memory));
    }
    const { kafkaLag, natsPending, rabbitmqReady, redisPending, temporalBacklog, mailbox } = on;
    if (kafkaLag)
      jobs.push(
        read("kafkaLag", async () => {
          if (lags === undefined) throw new Error("there is no Kafka here");
          const { lag, partitions } = await lags.read(kafkaLag.group, kafkaLag.topic);
          // More replicas than partitions would have nothing to read.
          return Math.min(lag, partitions * kafkaLag.perReplica);
        }),
      );
    if (natsPending)
      jobs.push(
        read("natsPending", async () => {
          if (options.nats === undefined) throw new Error("there is no NATS here");
          return await consumerPending(options.nats, natsPending.stream, natsPending.consumer);
        }),
      );
    if (temporalBacklog)
      jobs.push(read("temporalBacklog", () => taskQueueBacklog(options.temporal, temporalBacklog.taskQueue)));
    if (mailbox)
      jobs.push(
        read("mailbox", async () => {
          const actors = (await troupe.cluster()).nodes.flatMap((node) => node.actors ?? []);
          return actors.filter(({ type }) => type === mailbox.type).reduce((sum, { waiting }) => sum + waiting, 0);
        }),
      );
    if (rabbitmqReady)
      jobs.push(
        read("rabbitmqReady", async () => {
          if (queues === undefined) throw new Error("there is no RabbitMQ here");
          return await queues.ready(rabbitmqReady.queue);
        }),
      );
    if (redisPending)
      jobs.push(
        read("redisPending", async () => {
          if (groups === undefined) throw new Error("there is no Redis here");
          return await groups.pending(redisPending.stream, redisPending.group);
        }),
      );
    await Promise.all(jobs);
    return readings;
  }

  /** The average use of a service's replicas, in percent of what each may use. */
  async function use(service: string): Promise<{ readonly cpu: number; readonly memory: number }> {
    const spec = (await troupe.ref(Service, service).revision((await troupe.ref(Service, service).desired()).revision))
      ?.spec;
    const readings = options.engines.map(async (engine) => {
      const running = (await engine.list(service)).filter(({ state, stuck }) => state === "running" && stuck === null);
      return await Promise.all(running.map(({ id }) => engine.stats(id)));
    });
    const stats = (await Promise.all(readings)).flat();
    if (spec === undefined || stats.length === 0) return { cpu: 0, memory: 0 };
    const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    return {
      cpu: average(stats.map(({ cpuPercent }) => cpuPercent / spec.resources.cpus)),
      memory: average(stats.map(({ memoryBytes }) => (memoryBytes / spec.resources.memoryBytes) * 100)),
    };
  }

  return {
    async stop() {
      await looking.stop();
      lags?.close();
      queues?.close();
      groups?.close();
    },
  };
}
