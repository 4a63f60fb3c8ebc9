import type { PayloadCodec } from "@temporalio/common";
import { NativeConnection, type Worker } from "@temporalio/worker";
/**
 * Workers: run the workflows and activities of each task queue in this process.
 *
 * Owns: the connection of the workers, one worker per queue, and their coming back. Does not own: the activities' ports,
 * which the caller opens before and closes after.
 *
 * W1 Temporal being away is no error: each queue tries again, after 0.2 s and at most 5 s, until `stop`.
 *    An attempt that fails leaves no thread and no memory behind ({@link createWorker}).
 * W2 `stop` takes no new tasks, lets running ones end, and gives up on them after 10 s.
 * W3 An activity gives signs of life where its workflow asks for them, without a line of its own ({@link heartbeats}).
 */
import { pause } from "#infra/base/pause.ts";
import type { Otel } from "#infra/otel/otel.ts";
import type { EagerStarts } from "#infra/temporal/eager-starts.ts";
import { securityOptions, type TemporalSecurity } from "#infra/temporal/security.ts";
import type { Log } from "#runtime";
import { bundleOf } from "./bundle.ts";
import { createWorker } from "./create-worker.ts";
import { heartbeats, PASSED_ON_EVERY } from "./heartbeats.ts";
import { traceActivities, traceSinks } from "./tracing.ts";
import { installRuntime } from "./worker-runtime.ts";

/** One task queue and what runs on it. */
export interface QueueOptions {
  readonly taskQueue: string;
  /** Absolute path of the file that exports the workflows. None: activities alone. */
  readonly workflowsPath?: string;
  readonly activities: object;
}

/** What {@link startWorkers} is given. */
export interface WorkersOptions {
  readonly address: string;
  /** Default `"default"`. */
  readonly namespace?: string;
  /** As the client's of the same namespace: opens what that one sealed, and seals what the workflows say. */
  readonly codec?: PayloadCodec | undefined;
  /** As the client's. */
  readonly security?: TemporalSecurity | undefined;
  readonly queues: readonly QueueOptions[];
  readonly log: Log;
  /** Where runs and activities are told of. None: nowhere. */
  readonly tracing?: Otel | undefined;
  /** Told which queues are polled here, so that starts made in this process bring their first task along. None: nobody is. */
  readonly eager?: EagerStarts | undefined;
  /** Workflows kept in memory per queue. Default 500; 0 replays each from its history at every task. */
  readonly maxCachedWorkflows?: number;
}

/** Running workers. */
export interface Workers {
  /** The queues that are connected and polling right now. */
  running(): readonly string[];
  /** Resolves when every queue polls. Waits for ever while Temporal is away. */
  ready(): Promise<void>;
  /** Drains and ends; see Worker.W2. May be called twice. */
  stop(): Promise<void>;
}

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 5_000;
const DRAIN_MS = 10_000;

/** Starts a worker per queue. Returns at once; the workers connect by themselves and again after an outage. */
export function startWorkers(options: WorkersOptions): Workers {
  installRuntime(options.log);
  const queues = options.queues.map((queue) => superviseQueue(queue, options));
  return {
    running: () => queues.filter((queue) => queue.polling()).map((queue) => queue.taskQueue),
    ready: async () => void (await Promise.all(queues.map((queue) => queue.ready))),
    stop: async () => void (await Promise.all(queues.map((queue) => queue.stop()))),
  };
}

interface SupervisedQueue {
  readonly taskQueue: string;
  readonly ready: Promise<void>;
  polling(): boolean;
  stop(): Promise<void>;
}

function superviseQueue(
  queue: QueueOptions,
  { address, namespace = "default", security, codec, log, tracing, eager, maxCachedWorkflows }: WorkersOptions,
): SupervisedQueue {
  const { taskQueue } = queue;
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  let stopped = false;
  let worker: Worker | undefined;
  let withdraw = (): void => undefined;

  async function runOnce(): Promise<void> {
    const bundle = queue.workflowsPath === undefined ? undefined : await bundleOf(queue.workflowsPath);
    const connection = await NativeConnection.connect({ address, ...securityOptions(security) });
    try {
      if (stopped) return;
      worker = await createWorker({
        connection,
        namespace,
        taskQueue,
        ...(bundle && { workflowBundle: bundle }),
        activities: queue.activities,
        dataConverter: { payloadCodecs: codec === undefined ? [] : [codec] },
        sinks: traceSinks(tracing),
        interceptors: { activity: [heartbeats, ...(tracing === undefined ? [] : [traceActivities(tracing)])] },
        ...TUNING,
        maxCachedWorkflows: maxCachedWorkflows ?? TUNING.maxCachedWorkflows,
      });
      log("info", "worker:started", { taskQueue });
      const run = worker.run();
      if (stopped) shutDown(worker);
      else eager?.offer(taskQueue, connection);
      withdraw = () => eager?.withdraw(taskQueue, connection);
      ready.resolve();
      await run;
    } finally {
      withdraw();
      worker = undefined;
      await connection.close();
    }
  }

  const ended = (async () => {
    for (let pauseMs = RETRY_MIN_MS; !stopped; pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)) {
      const startedAt = performance.now();
      try {
        await runOnce();
      } catch (error) {
        log("warn", "worker:down", { taskQueue, address, error: String(error), retryInMs: pauseMs });
      }
      if (performance.now() - startedAt > 60_000) pauseMs = RETRY_MIN_MS; // it ran well until now
      if (!stopped) await pause(pauseMs, stopping.signal); // Worker.W1
    }
    ready.resolve();
  })();

  return {
    taskQueue,
    ready: ready.promise,
    polling: () => worker?.getState() === "RUNNING",
    async stop() {
      stopped = true;
      stopping.abort();
      withdraw();
      if (worker) shutDown(worker);
      await ended;
      log("info", "worker:stopped", { taskQueue });
    },
  };
}

/** Asks a worker to end unless it is ending. */
function shutDown(worker: Worker): void {
  if (worker.getState() === "RUNNING") worker.shutdown();
}

/** For two cores: one thread of workflows per queue, and as many activities as actors answer at once. */
const TUNING = {
  workflowThreadPoolSize: 1,
  reuseV8Context: true,
  maxCachedWorkflows: 500,
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentLocalActivityExecutions: 200,
  maxConcurrentActivityTaskExecutions: 100,
  maxHeartbeatThrottleInterval: PASSED_ON_EVERY,
  shutdownGraceTime: DRAIN_MS - 2_000,
  shutdownForceTime: DRAIN_MS,
} as const;
