import { WorkflowNotFoundError } from "@temporalio/client";
import type { Engine } from "#infra/docker/engine.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { silentLog } from "#runtime";
import type { Log } from "#runtime";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** What {@link startWatcher} is given. */
export interface WatcherOptions {
  readonly engine: Pick<Engine, "events" | "list">;
  /** Signals `wake` to the reconcile loop of a service. A loop that does not run is no error of the watcher. */
  readonly wake: (service: string) => Promise<void>;
  /** The services that have a desired state: woken after a gap in the events. */
  readonly services: () => Promise<readonly string[]>;
  readonly log?: Log;
}

/** A running watcher. */
export interface Watcher {
  /** Stops following events, and waits for the wake-ups under way. */
  stop(): Promise<void>;
}

/** What a container does that may change a plan. */
const WORTH_A_LOOK: ReadonlySet<string> = new Set(["die", "start", "destroy", "pause", "unpause", "oom", "rename"]);

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
    for (const service of new Set([...desired, ...present])) wake(service);
  }

  const following = (async () => {
    for await (const event of engine.events(controller.signal)) {
      if (event.kind === "resync") void wakeAll();
      else if (WORTH_A_LOOK.has(event.action)) wake(event.identity.service);
    }
  })();

  return {
    async stop() {
      controller.abort();
      await following;
      await Promise.all([...waking.values()].map((entry) => entry.done));
    },
  };
}

/** Wakes reconcile loops through Temporal. A loop that has ended stays ended. */
export function wakeThrough(temporal: Temporal, idOf: (service: string) => string = workflowIds.reconcileService) {
  return async (service: string): Promise<void> => {
    try {
      await temporal.call(() => temporal.client.workflow.getHandle(temporal.prefix + idOf(service)).signal("wake"));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };
}
