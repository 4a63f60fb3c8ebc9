import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { Config } from "#actors/orchestrator/config/config.ts";
import { knownHosts } from "#actors/orchestrator/host/own-host.ts";
import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import { sweepJobs } from "#actors/orchestrator/job/sweep.ts";
import { runningLoops, startSweep } from "#actors/orchestrator/scaler/sweep.ts";
import { wakeThrough } from "#actors/orchestrator/scaler/watcher.ts";
import { secretValues } from "#actors/orchestrator/secret/secret.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { everyOne } from "#infra/base/every-one.ts";
import type { ClientTls } from "#infra/base/tls.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import type { HostTotals } from "#infra/engines/host-room.ts";
import type { NatsLink } from "#infra/nats/connection.ts";
import type { Otel } from "#infra/otel/otel.ts";
import { tracedEngine } from "#infra/otel/traced-engine.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Log, Troupe } from "#runtime";
import { WORKFLOW_ENTRIES } from "#workflows/entries.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { startWorkers, type Workers } from "#workflows/worker.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { startAutoscaling } from "./autoscaling.ts";
import { driveHost, type HostedEngine, logFolder } from "./driven-host.ts";
import { containersElsewhere, serveContainers } from "./other-hosts.ts";
import { joined } from "./own-containers.ts";

/** What {@link startOrchestrator} is given. */
export interface OrchestratorOptions {
  readonly troupe: Troupe;
  /** The engines that this process drives; at least one. */
  readonly hosts: readonly [HostedEngine, ...HostedEngine[]];
  readonly temporal: Temporal;
  readonly secrets: SecretBox;
  readonly tracing: Otel | undefined;
  readonly log: Log;
  /** What the containers of one host may take together. */
  readonly totals: HostTotals;
  /** Where services that are scaled on brokers have their work. */
  readonly nats: NatsLink | undefined;
  readonly kafka: readonly string[] | undefined;
  readonly rabbitmq: string | undefined;
  readonly redis: string | undefined;
  readonly tls: ClientTls;
  /** Where what containers write is kept. */
  readonly logDirectory: string;
  /** Directories of this machine that containers may be given. */
  readonly bindRoots: readonly string[];
  /** Told of each round of a reconcile loop, in seconds. */
  readonly reconciled: (seconds: number) => void;
  /** Which key seals what is stored in Temporal; `undefined`: none. */
  readonly sealing: string | undefined;
}

/** The part of a process with the role `scaler`: it drives its engines. */
export interface Orchestrator {
  /** The workers of the loops, and of these hosts. */
  readonly workers: Workers;
  readonly containers: OwnContainers;
  stop(): Promise<void>;
}

/** Starts the reconcile loops, and what wakes them: the engines' events, failing checks, a sweep. */
export function startOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { troupe, temporal, secrets, log, totals, bindRoots, logDirectory, reconciled, tracing } = options;
  const { nats, kafka, rabbitmq, redis, tls, sealing } = options;
  const hosts = options.hosts.map((host) => traced(host, tracing));
  const taskQueue = temporal.prefix + TASK_QUEUES.orchestrator;
  const names = { idOf: (service: string) => temporal.prefix + workflowIds.reconcileService(service), taskQueue };
  const connection = { address: temporal.address, namespace: temporal.namespace, codec: temporal.codec, log, tracing };
  const needs = {
    hosts: knownHosts(troupe),
    secret: secretValues(troupe, secrets),
    bindObjection: (source: string) => bindObjection(source, bindRoots),
    reconciled,
    sealing,
    temporal,
    idOf: (id: string) => temporal.prefix + id,
    taskQueue,
  };
  const wake = wakeThrough(temporal, names);
  const [first, ...others] = hosts.map((hosted) =>
    driveHost({
      ...{ troupe, hosted, totals, wake, needs, connection, log },
      logDirectory: logFolder(logDirectory, hosts, hosted),
    }),
  );
  if (first === undefined) throw new RangeError("Cannot start the orchestrator without an engine");
  const driven = [first, ...others];
  const workflowsPath = WORKFLOW_ENTRIES.orchestrator;
  // The loops run beside the first host: it is looked at without a task queue in between.
  const loops = startWorkers({ ...connection, queues: [{ taskQueue, workflowsPath, activities: first.activities }] });
  const sweep = startSweep({
    services: async () =>
      (await everyOne(troupe, Service)).map(({ key, state }) => ({
        name: key,
        settled: state.status === "converged",
        containers: state.observed.map(({ containerId }) => containerId),
      })),
    // An engine that is away hides nothing of the others.
    containers: async () => (await Promise.all(driven.map(({ engine }) => engine.list().catch(() => [])))).flat(),
    running: runningLoops(temporal, names),
    repair: async () => {
      const services = (await everyOne(troupe, Service)).map(({ key }) => key);
      await troupe.ref(Config, "main").repair({ services, echoed: kafka !== undefined });
      for (const { engine } of driven)
        await sweepJobs({ troupe, temporal, engine }).catch((error: unknown) => {
          log("debug", "sweep:jobs:failed", { error: String(error) });
        });
    },
    wake: (service) => first.watcher.wake(service),
    log,
  });
  const stopping = new AbortController();
  const shown = driven.map(({ containers }) => containers);
  if (nats !== undefined) {
    const prefix = temporal.prefix;
    for (const { named, containers } of driven)
      void named.then(async (host) => {
        if (host !== undefined) await serveContainers({ nats, prefix, host, containers, log }, stopping.signal);
      });
    const hosts = async (): Promise<readonly string[]> => {
      const own = new Set(driven.map(({ name }) => name()));
      return (await needs.hosts()).filter((host) => !own.has(host));
    };
    shown.push(containersElsewhere({ nats, prefix, hosts }));
  }
  const engines = driven.map(({ engine }) => engine);
  const autoscaling = startAutoscaling({ troupe, engines, nats, kafka, rabbitmq, redis, tls, temporal, log });
  // In the background: the first service that asks for the demo image should find it built.
  for (const engine of engines)
    void ensureEchoImage(engine).catch((error: unknown) => log("warn", "image:missing", { error }));
  return {
    workers: {
      running: () => [...loops.running(), ...driven.flatMap(({ workers }) => workers.running())],
      ready: () => loops.ready(),
      stop: async () => void (await Promise.all([loops.stop(), ...driven.map(({ workers }) => workers.stop())])),
    },
    containers: joined(shown),
    async stop() {
      stopping.abort();
      await Promise.allSettled([sweep.stop(), autoscaling.stop(), ...driven.map((host) => host.stop())]);
    },
  };
}

/** Where a path of this machine really leads must be below one of the roots. */
export async function bindObjection(source: string, roots: readonly string[]): Promise<string | undefined> {
  const real = await realpath(source).catch(() => undefined);
  if (real === undefined) return `there is no ${source} on the host`;
  for (const root of roots) {
    const base = await realpath(root).catch(() => undefined);
    if (base !== undefined && (real === base || real.startsWith(base + sep))) return undefined;
  }
  return `${source} is not below a directory that containers may be given`;
}

/** An engine whose calls are part of the trace that makes them. */
function traced(hosted: HostedEngine, tracing: Otel | undefined): HostedEngine {
  return tracing === undefined ? hosted : { ...hosted, engine: tracedEngine(hosted.engine, tracing) };
}
