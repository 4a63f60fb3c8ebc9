import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, NativeConnection, Worker } from "@temporalio/worker";
import { Config } from "#actors/config/config.ts";
import { scalerActor } from "#actors/scaler/scaler.ts";
import { startWatcher } from "#actors/scaler/watcher.ts";
import { Service } from "#actors/service/service.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import type { Engine } from "#infra/docker/engine.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { createTroupe, memory } from "#runtime";
import type { OutboxRecord, Sink, Troupe, WorkflowRequest } from "#runtime";
import { TASK_QUEUES } from "../task-queues.ts";
import { workflowIds } from "../workflow-ids.ts";
import { createReconcileActivities } from "./activities.ts";

/** The orchestrator as one process runs it, with a cluster and a task queue of its own. */
export interface TestSystem extends AsyncDisposable {
  readonly troupe: Troupe;
  readonly engine: Engine;
  /** The address of the engine. */
  readonly dockerHost: string;
  readonly client: Client;
  /** The events that were published, in order. */
  readonly events: readonly { readonly type: string; readonly data: Record<string, unknown> }[];
}

/** Starts the orchestrator against a real engine and a real Temporal server. Its containers are gone when it is disposed of. */
export async function startTestSystem(): Promise<TestSystem> {
  const [dockerHost, address] = await Promise.all([testServer("docker"), testServer("temporal")]);
  const cluster = `t${crypto.randomUUID().slice(0, 8)}`;
  const taskQueue = `${TASK_QUEUES.orchestrator}-${cluster}`;
  const engine = connectEngine({ host: dockerHost, cluster });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const scaler = scalerActor({ engine });
  const events: TestSystem["events"][number][] = [];
  const troupe = await createTroupe({
    actors: [Config, Service, scaler],
    stores: { default: memory() },
    sinks: [workflowSink(client, cluster, taskQueue), eventSink(events)],
  });

  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: await bundle(),
    activities: createReconcileActivities({ troupe, engine, scaler }),
  });
  const running = worker.run();
  const watcher = startWatcher({
    engine,
    wake: (service) => client.workflow.getHandle(idIn(cluster, service)).signal("wake"),
    services: async () => (await troupe.list(Service)).map((summary) => summary.key),
  });

  return {
    troupe,
    engine,
    dockerHost,
    client,
    events,
    async [Symbol.asyncDispose]() {
      await watcher.stop();
      for await (const run of client.workflow.list({ query: `TaskQueue = "${taskQueue}" and ExecutionStatus = "Running"` })) {
        await client.workflow.getHandle(run.workflowId).terminate().catch(() => undefined);
      }
      worker.shutdown();
      await running;
      await troupe.stop();
      await native.close();
      await client.connection.close();
      await Promise.all((await engine.list()).map((container) => engine.remove(container.id, 0)));
    },
  };
}

let bundled: ReturnType<typeof bundleWorkflowCode> | undefined;
function bundle(): ReturnType<typeof bundleWorkflowCode> {
  bundled ??= bundleWorkflowCode({ workflowsPath: new URL("./workflow.ts", import.meta.url).pathname });
  return bundled;
}

/** Tests share a namespace: each cluster's workflow ids are its own. */
function idIn(cluster: string, service: string): string {
  return `${cluster}:${workflowIds.reconcileService(service)}`;
}

function workflowSink(client: Client, cluster: string, taskQueue: string): Sink {
  const send = async (record: OutboxRecord): Promise<void> => {
    const { start, signal } = JSON.parse(record.body) as WorkflowRequest;
    if (!start || !signal) throw new TypeError(`unexpected workflow request ${record.body}`);
    await client.workflow.signalWithStart(start.type, {
      workflowId: `${cluster}:${record.target}`,
      taskQueue,
      args: [...start.args],
      signal: signal.name,
      signalArgs: [...signal.args],
    });
  };
  return {
    name: "temporal",
    accepts: "workflow",
    lane: { kind: "keyed", maxInFlight: 8 },
    async publish(records) {
      for (const record of records) await send(record);
      return records.map(() => ({ kind: "acked" }));
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

function eventSink(events: TestSystem["events"][number][]): Sink {
  return {
    name: "events",
    accepts: "event",
    lane: { kind: "batch", maxBatch: 100 },
    async publish(records) {
      events.push(...records.map((record) => ({ type: record.name, data: JSON.parse(record.body) as Record<string, unknown> })));
      return records.map(() => ({ kind: "acked" }));
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

/** Asks until the answer is there, or the deadline is over: then the last failure is thrown. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> {
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
