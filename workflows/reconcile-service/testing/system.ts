import { Config } from "#actors/orchestrator/config/config.ts";
import type { ConfigApplied, ConfigServices } from "#actors/orchestrator/config/messages.ts";
import { Host } from "#actors/orchestrator/host/host.ts";
import { announceHost, knownHosts } from "#actors/orchestrator/host/own-host.ts";
import { Job } from "#actors/orchestrator/job/job.ts";
import type { JobView } from "#actors/orchestrator/job/messages.ts";
import { Prober } from "#actors/orchestrator/scaler/prober.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import { type LoopNames, startWatcher, wakeThrough, type Watcher } from "#actors/orchestrator/scaler/watcher.ts";
import type { ServiceView } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { localImages } from "#infra/docker/echo-image.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import type { Engine } from "#infra/engines/engine.ts";
import type { Images } from "#infra/engines/images.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { temporalSink } from "#infra/temporal/sink.ts";
import { createTroupe, memory, memoryTopics, silentLog } from "#runtime";
import type { AnyActorType, OutboxRecord, Sink, Topics, Troupe, WorkflowRequest } from "#runtime";
import { WORKFLOW_ENTRIES } from "../../entries.ts";
import { createJobActivities } from "../../run-job/activities.ts";
import { TASK_QUEUES } from "../../task-queues.ts";
import { startWorkers } from "../../worker.ts";
import { workflowIds } from "../../workflow-ids.ts";
import { createReconcileActivities, type ReconcileActivities } from "../activities.ts";
import type { ProbedHost } from "../needs-of-activities.ts";

/** The orchestrator as one process runs it, with a cluster and a task queue of its own. */
export interface TestSystem extends AsyncDisposable {
  readonly troupe: Troupe;
  readonly engine: Engine;
  readonly topics: Topics;
  /** The address of the engine. */
  readonly dockerHost: string;
  readonly temporal: Temporal;
  /** How the loops are found. */
  readonly names: LoopNames;
  /** Puts a whole configuration in force. */
  apply(services: ConfigServices): Promise<ConfigApplied>;
  view(name: string): Promise<ServiceView | null>;
  /** Waits until a service says that it has converged on so many replicas. */
  converged(name: string, replicas: number): Promise<ServiceView>;
  /** A job as it is shown; `null`: there is none. */
  job(name: string): Promise<JobView | null>;
  /** The Temporal Schedule of a job. */
  scheduleId(name: string): string;
  /** The id of a service's reconcile loop here. */
  workflowId(service: string): string;
  /** A process more, that drives another engine under the name of its host. */
  addHost(host: string, dockerHost: string): Promise<Engine>;
  /** The events that were published, in order. */
  readonly events: readonly { readonly type: string; readonly data: Record<string, unknown> }[];
}

/** What {@link startTestSystem} is given. */
export interface TestSystemOptions {
  /** 0 replays the loop from its history at every task. */
  readonly maxCachedWorkflows?: number;
  /** Another way to the engine. */
  readonly dockerHost?: string;
  /** Another engine than Docker, for a cluster. */
  readonly engine?: (cluster: string) => Engine;
  /** How it comes to its images. Default: as the app does. */
  readonly images?: (engine: Engine) => Images;
  /** Whether the loops are woken by the engine's events. Default true. */
  readonly watched?: boolean;
  /** Further actor types. */
  readonly actors?: readonly AnyActorType[];
  /** What the engine's host is called. Default `local`. */
  readonly host?: string;
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Starts the orchestrator against a real engine and a real Temporal server. Its containers are gone when it is disposed of. */
export async function startTestSystem(options: TestSystemOptions = {}): Promise<TestSystem> {
  const docker = options.engine === undefined && options.dockerHost === undefined ? testServer("docker") : "";
  const [server, address] = await Promise.all([docker, testServer("temporal")]);
  const dockerHost = options.dockerHost ?? server;
  const cluster = `t${crypto.randomUUID().slice(0, 8)}`;
  const taskQueue = `${TASK_QUEUES.orchestrator}-${cluster}`;
  const engine = options.engine?.(cluster) ?? connectEngine({ host: dockerHost, cluster });
  const temporal = temporalConnection({ address });
  const events: TestSystem["events"][number][] = [];
  const topics = memoryTopics();
  const troupe = await createTroupe({
    actors: [Config, Service, Job, Scaler, Host, ...(options.actors ?? [])],
    stores: { default: memory() },
    topics,
    sinks: [apart(temporalSink({ temporal, log: silentLog }), cluster, taskQueue), eventSink(events)],
  });
  const names = { idOf: (service: string) => idIn(cluster, service), taskQueue };
  const woken: { watcher?: Watcher } = {};
  const prober = new Prober((service) => woken.watcher?.wake(service));
  const host = announceHost({ troupe, engine, wanted: options.host ?? "local" });
  const images = (options.images ?? localImages)(engine);
  const activitiesOn = (own: () => string | undefined, driven: ProbedHost): ReconcileActivities =>
    createReconcileActivities({
      troupe,
      own: () => {
        const name = own();
        return name === undefined ? undefined : { ...driven, host: name };
      },
      hosts: knownHosts(troupe),
      secret: async (name) => options.secrets?.[name],
      bindObjection: async () => undefined,
    });
  const jobs = createJobActivities({
    troupe,
    temporal,
    own: () => {
      const name = host.name();
      return name === undefined ? undefined : { host: name, engine, images };
    },
    idOf: (id) => `${cluster}:${id}`,
    taskQueue,
    secret: async (name) => options.secrets?.[name],
    bindObjection: async () => undefined,
  });
  const activities = { ...activitiesOn(host.name, { host: "", engine, images, prober }), ...jobs };
  const workflowsPath = WORKFLOW_ENTRIES.orchestrator;
  const workers = startWorkers({
    address,
    queues: [
      { taskQueue, workflowsPath, activities },
      { taskQueue: `${taskQueue}.${options.host ?? "local"}`, activities },
    ],
    log: silentLog,
    ...(options.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: options.maxCachedWorkflows }),
  });
  const services = async () => (await troupe.list(Service)).map((summary) => summary.key);
  await Promise.all([workers.ready(), host.named]);
  const silent = { list: () => engine.list(), events: async function* () {} };
  woken.watcher = startWatcher({
    engine: options.watched === false ? silent : engine,
    wake: wakeThrough(temporal, names),
    services,
  });

  const further: (() => Promise<unknown>)[] = [];
  async function addHost(name: string, address2: string): Promise<Engine> {
    const other = connectEngine({ host: address2, cluster });
    const announced = announceHost({ troupe, engine: other, wanted: name, everyMs: 500 });
    const probing = new Prober((service) => woken.watcher?.wake(service));
    const driven = { host: "", engine: other, images: localImages(other), prober: probing };
    const queue = { taskQueue: `${taskQueue}.${name}`, activities: activitiesOn(announced.name, driven) };
    const working = startWorkers({ address, queues: [queue], log: silentLog });
    await Promise.all([working.ready(), announced.named]);
    const watching = startWatcher({ engine: other, wake: wakeThrough(temporal, names), services });
    further.push(async () => {
      await Promise.all([watching.stop(), announced.stop(), working.stop()]);
      probing.stop();
      await Promise.allSettled((await other.list()).map((container) => other.remove(container.id, 0)));
    });
    return other;
  }

  const view = (name: string) => troupe.ref(Service, name).get();
  return {
    troupe,
    engine,
    topics,
    dockerHost,
    apply: (services) => troupe.ref(Config, "main").apply({ services, gateway: [], expected: null }),
    view,
    converged: (name, replicas) =>
      eventually(`${name} converges on ${replicas}`, async () => {
        const found = await view(name);
        return found?.status === "converged" && found.outbox === "DONE" && found.observed.length === replicas && found;
      }),
    temporal,
    names,
    addHost,
    job: async (name) => (await troupe.ref(Job, name).get()) as JobView | null,
    scheduleId: (name) => `${cluster}:job/${name}`,
    workflowId: (service) => idIn(cluster, service),
    events,
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(further.map((end) => end()));
      await woken.watcher?.stop();
      prober.stop();
      await host.stop();
      const names = (await troupe.list(Service)).map((summary) => summary.key);
      const handles = names.map((name) => temporal.client.workflow.getHandle(idIn(cluster, name)));
      await Promise.all(handles.map((handle) => handle.terminate().catch(() => undefined)));
      await endJobs(troupe, temporal, cluster);
      await workers.stop();
      await troupe.stop();
      await Promise.all((await engine.list()).map((container) => engine.remove(container.id, 0)));
      await engine.close();
    },
  };
}

/** The schedules of jobs, and what of them still runs. */
async function endJobs(troupe: Troupe, { client }: Temporal, cluster: string): Promise<void> {
  for (const { key, state } of await troupe.list(Job)) {
    await client.schedule
      .getHandle(`${cluster}:job/${key}`)
      .delete()
      .catch(() => undefined);
    for (const { workflowId, endedAt } of state.runs)
      if (endedAt === null)
        await client.workflow
          .getHandle(workflowId)
          .terminate()
          .catch(() => undefined);
  }
}

/** Tests share a namespace: each cluster's workflow ids are its own. */
function idIn(cluster: string, service: string): string {
  return `${cluster}:${workflowIds.reconcileService(service)}`;
}

/** The same sink, with the ids and the task queue of one cluster. */
function apart(sink: Sink, cluster: string, taskQueue: string): Sink {
  const moved = (record: OutboxRecord): OutboxRecord => {
    const request = JSON.parse(record.body) as WorkflowRequest;
    const start = request.start && { ...request.start, taskQueue };
    return { ...record, target: `${cluster}:${record.target}`, body: JSON.stringify({ ...request, start }) };
  };
  return { ...sink, publish: (records, attempt) => sink.publish(records.map(moved), attempt) };
}

function eventSink(events: TestSystem["events"][number][]): Sink {
  return {
    name: "events",
    accepts: "event",
    lane: { kind: "batch", maxBatch: 100 },
    async publish(records) {
      events.push(
        ...records.map((record) => ({ type: record.name, data: JSON.parse(record.body) as Record<string, unknown> })),
      );
      return records.map(() => ({ kind: "acked" }));
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

/** Asks until the answer is there, or the deadline is over: then the last failure is thrown. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  withinMs = 55_000,
): Promise<T> {
  const until = performance.now() + withinMs;
  let last: unknown = "not yet";
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await Bun.sleep(25);
  } while (performance.now() < until);
  throw new Error(`${what}: not within ${withinMs} ms`, { cause: last });
}
