import { join } from "node:path";
import { announceHost } from "#actors/orchestrator/host/own-host.ts";
import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import { Prober } from "#actors/orchestrator/scaler/prober.ts";
import { startWatcher, type Watcher } from "#actors/orchestrator/scaler/watcher.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { everyOne } from "#infra/base/every-one.ts";
import { localImages } from "#infra/docker/echo-image.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { HostRoom, type HostTotals } from "#infra/engines/host-room.ts";
import { LogBook } from "#infra/engines/log-book.ts";
import type { Log, Troupe } from "#runtime";
import { createReconcileActivities } from "#workflows/reconcile-service/activities.ts";
import type { ReconcileDeps } from "#workflows/reconcile-service/needs-of-activities.ts";
import { createJobActivities, type JobDeps } from "#workflows/run-job/activities.ts";
import { startWorkers, type Workers, type WorkersOptions } from "#workflows/worker.ts";

/** An engine, and what its host is to be called; by default what it calls itself. */
export interface HostedEngine {
  readonly name: string | undefined;
  readonly engine: Engine;
}

/** What {@link driveHost} is given. */
export interface DrivenHostOptions {
  readonly troupe: Troupe;
  readonly hosted: HostedEngine;
  readonly totals: HostTotals;
  /** Wakes the loop of a service. */
  readonly wake: (service: string) => Promise<void>;
  readonly needs: Omit<ReconcileDeps, "troupe" | "own"> & Omit<JobDeps, "troupe" | "own">;
  /** Where and as whom its workers connect. */
  readonly connection: Omit<WorkersOptions, "queues">;
  readonly logDirectory: string;
  readonly log: Log;
}

/** A host that this process drives. */
export interface DrivenHost {
  readonly engine: Engine;
  /** What it is called, once its engine has answered. */
  readonly name: () => string | undefined;
  /** Resolves with its name; with nothing when it was stopped before. */
  readonly named: Promise<string | undefined>;
  /** Those of the loops' own queue, as this host carries them out. */
  readonly activities: object;
  readonly watcher: Watcher;
  readonly containers: OwnContainers;
  /** The workers of the host's own queue. */
  readonly workers: Pick<Workers, "running" | "stop">;
  stop(): Promise<void>;
}

/** Announces the host of an engine, follows its events, checks its containers, keeps what they write, and acts on it. */
export function driveHost(options: DrivenHostOptions): DrivenHost {
  const { troupe, hosted, totals, wake, needs, connection, logDirectory, log } = options;
  const { engine } = hosted;
  const host = announceHost({ troupe, engine, wanted: hosted.name, log });
  const images = localImages(engine);
  const limited = totals.memoryBytes !== undefined || totals.cpus !== undefined;
  const room = limited ? new HostRoom(engine, totals) : undefined;
  const services = async () => (await everyOne(troupe, Service)).map(({ key }) => key);
  const watcher = startWatcher({ engine, log, wake, services });
  const book = new LogBook(engine, logDirectory);
  const prober = new Prober((service) => watcher.wake(service));
  const own = () => {
    const name = host.name();
    return name === undefined ? undefined : { host: name, engine, images, prober, room };
  };
  const activities = {
    ...createReconcileActivities({ ...needs, troupe, own }),
    ...createJobActivities({ ...needs, troupe, own }),
  };
  let working: Workers | undefined;
  let stopping = false;
  const named = host.named.then((name) => {
    // Other processes' loops reach this engine over the host's own queue.
    if (name !== undefined && !stopping)
      working = startWorkers({ ...connection, queues: [{ taskQueue: `${needs.taskQueue}.${name}`, activities }] });
  });
  return {
    engine,
    name: host.name,
    named: host.named,
    activities,
    watcher,
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
    workers: {
      running: () => working?.running() ?? [],
      async stop() {
        stopping = true;
        await named;
        await working?.stop();
      },
    },
    async stop() {
      stopping = true;
      await Promise.allSettled([watcher.stop(), host.stop(), book.stop()]);
      prober.stop();
    },
  };
}

/** Where what the containers of a host write is kept: of several each has a folder. */
export function logFolder(directory: string, hosts: readonly HostedEngine[], { name }: HostedEngine): string {
  return hosts.length === 1 ? directory : join(directory, name ?? "host");
}
