import type { Engine } from "#infra/engines/engine.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { silentLog } from "#runtime";
import type { Log } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { isJobService } from "../job/messages.ts";

/** What {@link startWatcher} is given. */
export interface WatcherOptions {
  readonly engine: Pick<Engine, "events" | "list">;
  /** Signals `wake` to the reconcile loop of a service, and starts it where it does not run. */
  readonly wake: (service: string) => Promise<void>;
  /** The services that have a desired state: woken after a gap in the events. */
  readonly services: () => Promise<readonly string[]>;
  readonly log?: Log;
}

/** A running watcher. */
export interface Watcher {
  /** Wakes a service's loop. Wake-ups of one service are coalesced. */
  wake(service: string): void;
  /** Stops following events, and waits for the wake-ups under way. */
  stop(): Promise<void>;
}

/** What a container does that may change a plan. */
const WORTH_A_LOOK: ReadonlySet<string> = new Set([
  "die",
  "start",
  "destroy",
  "pause",
  "unpause",
  "oom",
  "rename",
  "update",
]);

/**
 * Wakes a service's reconcile loop as soon as the engine tells of one of its containers, so that nobody waits for the
 * next look. Wake-ups of one service are coalesced: while one is under way, any number of events ask for one more.
 */
export function startWatcher(options: WatcherOptions): Watcher {
  const { engine, log = silentLog } = options;
  const controller = new AbortController();
  const waking = new Map<string, { again: boolean; done: Promise<void> }>();

  function wake(service: string): void {
    const current = waking.get(service);
    if (current) {
      current.again = true;
      return;
    }
    const entry = { again: false, done: Promise.resolve() };
    entry.done = deliver(service, entry).finally(() => waking.delete(service));
    waking.set(service, entry);
  }

  async function deliver(service: string, entry: { again: boolean }): Promise<void> {
    do {
      entry.again = false;
      await options.wake(service).catch((error: unknown) => {
        log("debug", "watcher:wake:failed", { service, error: String(error) });
      });
    } while (entry.again && !controller.signal.aborted);
  }

  async function wakeAll(): Promise<void> {
    const [desired, present] = await Promise.all([
      options.services().catch(() => []),
      engine
        .list()
        .then((list) => list.map((container) => container.service))
        .catch(() => []),
    ]);
    for (const service of new Set([...desired, ...present])) if (!isJobService(service)) wake(service);
  }

  const following = (async () => {
    for await (const event of engine.events(controller.signal)) {
      if (event.kind !== "container") void wakeAll();
      else if (isJobService(event.identity.service)) continue; // Its run looks at it.
      else if (WORTH_A_LOOK.has(event.action) || event.action.startsWith("health_status")) wake(event.identity.service);
    }
  })();

  return {
    wake,
    async stop() {
      controller.abort();
      await following;
      await Promise.all([...waking.values()].map((entry) => entry.done));
    },
  };
}

/** How loops are found: tests and clusters beside each other have ids and queues of their own. */
export interface LoopNames {
  readonly idOf: (service: string) => string;
  readonly taskQueue: string;
}

/** The names of the loops where there is nobody else. */
export const LOOP_NAMES: LoopNames = { idOf: workflowIds.reconcileService, taskQueue: TASK_QUEUES.orchestrator };

/** Wakes reconcile loops through Temporal; one that has ended, or was ended, is started again. */
export function wakeThrough(temporal: Temporal, { idOf, taskQueue }: LoopNames = LOOP_NAMES) {
  return async (service: string): Promise<void> => {
    await temporal.call(() =>
      temporal.client.workflow.signalWithStart("reconcileService", {
        workflowId: idOf(service),
        taskQueue,
        args: [{ name: service }],
        memo: { service },
        signal: "wake",
      }),
    );
  };
}
