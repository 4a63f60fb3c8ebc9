import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { Config } from "#actors/orchestrator/config/config.ts";
import { announceHost, knownHosts } from "#actors/orchestrator/host/own-host.ts";
import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import { Prober } from "#actors/orchestrator/scaler/prober.ts";
import { runningLoops, startSweep } from "#actors/orchestrator/scaler/sweep.ts";
import { startWatcher, wakeThrough } from "#actors/orchestrator/scaler/watcher.ts";
import { secretValues } from "#actors/orchestrator/secret/secret.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { ensureEchoImage, localImages } from "#infra/docker/echo-image.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { LogBook } from "#infra/engines/log-book.ts";
import { everyOne } from "#infra/every-one.ts";
import type { NatsLink } from "#infra/nats/connection.ts";
import type { Otel } from "#infra/otel/otel.ts";
import { tracedEngine } from "#infra/otel/traced-engine.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Log, Troupe } from "#runtime";
import { WORKFLOW_ENTRIES } from "#workflows/entries.ts";
import { createReconcileActivities } from "#workflows/reconcile-service/activities.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { startWorkers, type Workers } from "#workflows/worker.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { startAutoscaling } from "./autoscaling.ts";

/** What {@link startOrchestrator} is given. */
export interface OrchestratorOptions {
  readonly troupe: Troupe;
  readonly engine: Engine;
  readonly temporal: Temporal;
  readonly secrets: SecretBox;
  readonly tracing: Otel | undefined;
  readonly log: Log;
  /** What the engine's host is to be called; by default what it calls itself. */
  readonly hostName: string | undefined;
  /** Where services that are scaled on brokers have their work. */
  readonly nats: NatsLink | undefined;
  readonly kafka: readonly string[] | undefined;
  /** Where what containers write is kept. */
  readonly logDirectory: string;
  /** Directories of this machine that containers may be given. */
  readonly bindRoots: readonly string[];
  /** Told of each round of a reconcile loop, in seconds. */
  readonly reconciled: (seconds: number) => void;
}

/** The part of a process with the role `scaler`: it drives one engine. */
export interface Orchestrator {
  /** The workers of the loops, and of this host. */
  readonly workers: Workers;
  readonly containers: OwnContainers;
  stop(): Promise<void>;
}

/** Starts the reconcile loops, and what wakes them: the engine's events, failing checks, a sweep. */
export function startOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { troupe, temporal, secrets, log, tracing, hostName, bindRoots, logDirectory, nats, kafka, reconciled } =
    options;
  const engine = tracing === undefined ? options.engine : tracedEngine(options.engine, tracing);
  const taskQueue = temporal.prefix + TASK_QUEUES.orchestrator;
  const names = { idOf: (service: string) => temporal.prefix + workflowIds.reconcileService(service), taskQueue };
  const host = announceHost({ troupe, engine, wanted: hostName, log });
  const images = localImages(engine);
  const watcher = startWatcher({
    engine,
    log,
    wake: wakeThrough(temporal, names),
    services: async () => (await everyOne(troupe, Service)).map(({ key }) => key),
  });
  const book = new LogBook(engine, logDirectory);
  const prober = new Prober((service) => watcher.wake(service));
  const activities = createReconcileActivities({
    troupe,
    own: () => {
      const name = host.name();
      return name === undefined ? undefined : { host: name, engine, images, prober };
    },
    hosts: knownHosts(troupe),
    secret: secretValues(troupe, secrets),
    bindObjection: (source) => bindObjection(source, bindRoots),
    reconciled,
  });
  const connection = { address: temporal.address, namespace: temporal.namespace, codec: temporal.codec, log, tracing };
  const workflowsPath = WORKFLOW_ENTRIES.orchestrator;
  const loops = startWorkers({ ...connection, queues: [{ taskQueue, workflowsPath, activities }] });
  let forHost: Workers | undefined;
  let stopping = false;
  const named = host.named.then((name) => {
    // Other processes' loops reach this engine over the host's own queue.
    if (name !== undefined && !stopping)
      forHost = startWorkers({ ...connection, queues: [{ taskQueue: `${taskQueue}.${name}`, activities }] });
  });
  const sweep = startSweep({
    services: async () =>
      (await everyOne(troupe, Service)).map(({ key, state }) => ({
        name: key,
        settled: state.status === "converged",
        containers: state.observed.map(({ containerId }) => containerId),
      })),
    containers: () => engine.list(),
    running: runningLoops(temporal, names),
    repair: async () => {
      const services = (await everyOne(troupe, Service)).map(({ key }) => key);
      await troupe.ref(Config, "main").repair({ services });
    },
    wake: (service) => watcher.wake(service),
    log,
  });
  const autoscaling = startAutoscaling({ troupe, engine, nats, kafka, temporal, log });
  // In the background: the first service that asks for the demo image should find it built.
  void ensureEchoImage(engine).catch((error: unknown) => log("warn", "image:missing", { error }));
  return {
    workers: {
      running: () => [...loops.running(), ...(forHost?.running() ?? [])],
      ready: () => loops.ready(),
      stop: async () => void (await Promise.all([loops.stop(), named.then(() => forHost?.stop())])),
    },
    containers: {
      logs: (service, request) => book.read(service, request),
      async stats(service) {
        const running = (await engine.list(service)).filter(
          ({ state, stuck }) => state === "running" && stuck === null,
        );
        return await Promise.all(
          running.map(async ({ id, replica }) => ({ containerId: id, replica, ...(await engine.stats(id)) })),
        );
      },
    },
    async stop() {
      stopping = true;
      await Promise.allSettled([watcher.stop(), sweep.stop(), host.stop(), book.stop(), autoscaling.stop()]);
      prober.stop();
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
